#!/bin/bash
set -eu
kubectl patch deployment orders --type=json \
  --patch '[{"op": "remove", "path": "/spec/template/spec/initContainers"}]'
kubectl rollout status deployment orders --timeout=70s
