#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
for node in $(kubectl get nodes --output=jsonpath='{.items[*].metadata.name}'); do
  kubectl uncordon "$node"
  kubectl label node "$node" maintenance=done
done
kubectl rollout status deployment cart --timeout=60s
