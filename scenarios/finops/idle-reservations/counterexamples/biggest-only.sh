#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl set resources deployment web --requests=cpu=30m,memory=48Mi
kubectl rollout status deployment web --timeout=90s
