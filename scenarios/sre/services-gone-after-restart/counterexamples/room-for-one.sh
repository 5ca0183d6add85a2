#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl patch resourcequota team-quota --patch '{"spec": {"hard": {"limits.memory": "640Mi"}}}'
kubectl rollout restart deployment recommend stock
kubectl rollout status deployment recommend --timeout=10s || true
kubectl rollout status deployment stock --timeout=10s || true
