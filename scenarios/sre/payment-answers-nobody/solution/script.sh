#!/bin/bash
set -eu
kubectl patch service payment --type=json \
  --patch '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl rollout status deployment payment --timeout=100s
