#!/bin/bash
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
