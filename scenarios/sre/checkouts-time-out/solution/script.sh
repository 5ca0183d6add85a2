#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl logs deployment/checkout --tail=5
kubectl get networkpolicy cart-isolation --output=jsonpath='{.spec}{"\n"}'   # lets everybody in
kubectl rollout history deployment checkout   # the revision before tells the value
kubectl set env deployment checkout CALL_TIMEOUT_SECONDS=3
kubectl rollout status deployment checkout --timeout=60s
