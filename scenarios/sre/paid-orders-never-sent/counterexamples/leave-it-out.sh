#!/bin/bash
set -eu
kubectl patch deployment worker --type=json \
  --patch '[{"op": "remove", "path": "/spec/template/spec/initContainers"}]'
kubectl rollout status deployment worker --timeout=70s
