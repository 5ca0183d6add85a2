#!/bin/bash
kubectl rollout undo deployment cart
kubectl rollout status deployment cart --timeout=60s
kubectl rollout restart deployment stock
