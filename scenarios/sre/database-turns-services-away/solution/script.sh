#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
true_password=$(kubectl exec deployment/database -- printenv DATABASE_PASSWORD)
kubectl patch secret database-credentials \
  --patch "$(jq --null-input --arg value "$true_password" '{stringData: {password: $value}}')"
kubectl rollout restart deployment orders stock
kubectl rollout status deployment orders --timeout=100s
kubectl rollout status deployment stock --timeout=100s
