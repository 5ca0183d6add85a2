#!/bin/bash
kubectl exec deployment/queue -- redis-cli del jobs
kubectl rollout undo deployment shipping
kubectl patch service orders --type=json \
  --patch='[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl rollout status deployment shipping --timeout=60s
