#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl patch configmap cache-settings --patch '{"data": {"maxmemory": "16mb"}}'
kubectl rollout restart deployment cache
kubectl rollout status deployment cache --timeout=60s
