#!/bin/bash
set -eu
kubectl get configmap shop-flags --output=json \
  | jq '.data["flags.json"] |= (fromjson | .payment_failure_percent = 0 | tojson) | {data}' > patch.json
kubectl patch configmap shop-flags --patch-file patch.json
kubectl rollout restart deployment payment
kubectl rollout status deployment payment --timeout=60s
