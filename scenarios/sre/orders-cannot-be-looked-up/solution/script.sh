#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl logs --selector=app=orders --container=migrate --tail=5 || true
kubectl patch deployment orders --patch '
spec:
  template:
    spec:
      initContainers:
        - {name: migrate, command: null, args: [migrate]}
'
kubectl rollout status deployment orders --timeout=100s
