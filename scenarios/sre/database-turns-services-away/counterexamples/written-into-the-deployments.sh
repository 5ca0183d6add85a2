#!/bin/bash
set -eu
password=$(kubectl exec deployment/database -- printenv DATABASE_PASSWORD)
kubectl set env deployment/stock DATABASE_PASSWORD="$password"
kubectl set env deployment/orders DATABASE_PASSWORD="$password"
kubectl rollout status deployment orders --timeout=60s
kubectl rollout status deployment stock --timeout=60s
