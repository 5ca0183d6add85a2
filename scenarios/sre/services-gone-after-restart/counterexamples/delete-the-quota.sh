#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl delete resourcequota team-quota
kubectl rollout restart deployment recommend stock
kubectl rollout status deployment recommend --timeout=60s
kubectl rollout status deployment stock --timeout=60s
