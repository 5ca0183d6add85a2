#!/bin/bash
set -eu
true_password=$(kubectl exec deployment/database -- printenv DATABASE_PASSWORD)
kubectl patch secret database-credentials \
  --patch "$(jq --null-input --arg value "$true_password" '{stringData: {password: $value}}')"
kubectl rollout restart deployment orders stock
kubectl rollout status deployment orders --timeout=100s
kubectl rollout status deployment stock --timeout=100s
