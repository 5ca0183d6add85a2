#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
kubectl set env deployment checkout CALL_TIMEOUT_SECONDS=30
kubectl rollout status deployment checkout --timeout=60s
