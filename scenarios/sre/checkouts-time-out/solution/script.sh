#!/bin/bash
set -eu
kubectl logs deployment/checkout --tail=5
kubectl get networkpolicy cart-isolation --output=jsonpath='{.spec}{"\n"}'   # lets everybody in
kubectl rollout history deployment checkout   # the revision before tells the value
kubectl set env deployment checkout CALL_TIMEOUT_SECONDS=3
kubectl rollout status deployment checkout --timeout=60s
