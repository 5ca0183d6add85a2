#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
unplaced=$(kubectl get pods --field-selector=status.phase=Pending --output json |
  jq --raw-output '.items[]
    | select(any(.status.conditions[]?; .type == "PodScheduled" and .reason == "Unschedulable"))
    | .metadata.labels.app')
for name in $unplaced; do
  kubectl get deployment "$name" --output jsonpath='{.spec.template.spec.nodeSelector}{"\n"}'
  kubectl patch deployment "$name" --patch '{"spec": {"template": {"spec": {"nodeSelector": null}}}}'
  kubectl rollout status deployment "$name" --timeout=100s
done
