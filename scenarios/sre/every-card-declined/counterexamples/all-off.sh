#!/bin/bash
kubectl patch configmap shop-flags --patch '{"data": {"flags.json": "{}"}}'
kubectl rollout restart deployment payment
kubectl rollout status deployment payment --timeout=60s
