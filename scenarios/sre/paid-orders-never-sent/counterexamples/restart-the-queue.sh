#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl rollout restart deployment queue
kubectl rollout undo deployment worker
kubectl rollout status deployment queue --timeout=60s
kubectl rollout status deployment worker --timeout=60s
