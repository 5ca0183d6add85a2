#!/bin/bash
set -eu
kubectl get events --field-selector reason=FailedScheduling | tail -n 2
kubectl set resources deployment shipping --requests=cpu=5m,memory=32Mi --limits=cpu=300m,memory=40Mi
kubectl patch service orders --type=json \
  --patch='[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl rollout status deployment shipping --timeout=90s
