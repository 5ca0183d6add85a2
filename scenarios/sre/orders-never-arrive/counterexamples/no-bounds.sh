#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
kubectl patch deployment shipping --type=json \
  --patch='[{"op": "remove", "path": "/spec/template/spec/containers/0/resources/requests/cpu"},
            {"op": "remove", "path": "/spec/template/spec/containers/0/resources/limits/cpu"}]'
kubectl patch service orders --type=json \
  --patch='[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl rollout status deployment shipping --timeout=60s
