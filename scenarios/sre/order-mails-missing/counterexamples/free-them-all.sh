#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
for name in $(kubectl get deployments --output name); do
  kubectl patch "$name" --type=merge --patch '{"spec": {"template": {"spec": {"nodeSelector": null}}}}'
done
kubectl rollout status deployment mail --timeout=60s
kubectl rollout status deployment cart --timeout=60s
