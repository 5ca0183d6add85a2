#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl rollout restart deployment database
kubectl rollout status deployment database --timeout=60s
kubectl rollout undo deployment orders
kubectl rollout status deployment orders --timeout=50s
