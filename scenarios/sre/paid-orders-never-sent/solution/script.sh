#!/bin/bash
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
