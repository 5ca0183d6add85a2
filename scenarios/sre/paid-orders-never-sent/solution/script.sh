#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl logs --selector=app=worker --container=wait-for-queue --tail=5 || true
kubectl patch deployment worker --patch '
spec:
  template:
    spec:
      initContainers:
        - {name: wait-for-queue, command: null, args: [wait-for, "queue:6379"]}
'
kubectl rollout status deployment worker --timeout=100s
