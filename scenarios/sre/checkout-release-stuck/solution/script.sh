#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
broken=$(kubectl get deployments --output json |
  jq --raw-output '.items[] | select((.status.availableReplicas // 0) == 0) | .metadata.name')
for name in $broken; do
  kubectl rollout history deployment "$name"
  kubectl rollout undo deployment "$name"
  kubectl rollout status deployment "$name" --timeout=100s
done
