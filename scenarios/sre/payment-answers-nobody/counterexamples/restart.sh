#!/bin/bash
kubectl rollout restart deployment payment checkout
kubectl rollout status deployment payment --timeout=60s
kubectl rollout status deployment checkout --timeout=60s
