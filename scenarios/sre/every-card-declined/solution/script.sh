#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl get configmap shop-flags --output=json \
  | jq '.data["flags.json"] |= (fromjson | .payment_failure_percent = 0 | tojson) | {data}' > patch.json
kubectl patch configmap shop-flags --patch-file patch.json
kubectl rollout restart deployment payment
kubectl rollout status deployment payment --timeout=60s
