#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
password=$(kubectl exec deployment/database -- printenv DATABASE_PASSWORD)
kubectl set env deployment/stock DATABASE_PASSWORD="$password"
kubectl set env deployment/orders DATABASE_PASSWORD="$password"
kubectl rollout status deployment orders --timeout=60s
kubectl rollout status deployment stock --timeout=60s
