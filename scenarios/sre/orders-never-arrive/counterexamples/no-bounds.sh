#!/bin/bash
kubectl patch deployment shipping --type=json \
  --patch='[{"op": "remove", "path": "/spec/template/spec/containers/0/resources/requests/cpu"},
            {"op": "remove", "path": "/spec/template/spec/containers/0/resources/limits/cpu"}]'
kubectl patch service orders --type=json \
  --patch='[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl rollout status deployment shipping --timeout=60s
