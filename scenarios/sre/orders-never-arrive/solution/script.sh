#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl get events --field-selector reason=FailedScheduling | tail -n 2
kubectl set resources deployment shipping --requests=cpu=5m,memory=32Mi --limits=cpu=300m,memory=40Mi
kubectl patch service orders --type=json \
  --patch='[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl rollout status deployment shipping --timeout=90s
