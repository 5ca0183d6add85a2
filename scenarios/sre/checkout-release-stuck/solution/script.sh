#!/bin/bash
set -eu
broken=$(kubectl get deployments --output json |
  jq --raw-output '.items[] | select((.status.availableReplicas // 0) == 0) | .metadata.name')
for name in $broken; do
  kubectl rollout history deployment "$name"
  kubectl rollout undo deployment "$name"
  kubectl rollout status deployment "$name" --timeout=100s
done
