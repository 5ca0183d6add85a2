#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
deployments=$(kubectl get deployments --output json)
needed=$(jq '
  def mebibytes:
    capture("^(?<number>[0-9]+)(?<unit>Mi|Gi)$") | (.number | tonumber) * {Mi: 1, Gi: 1024}[.unit];
  [.items[] | .spec.replicas * ([.spec.template.spec.containers[].resources.limits.memory | mebibytes] | add)] | add
' <<<"$deployments")
kubectl patch resourcequota team-quota --patch "{\"spec\": {\"hard\": {\"limits.memory\": \"$((needed + 32))Mi\"}}}"
stuck=$(jq --raw-output '.items[] | select((.status.availableReplicas // 0) == 0) | .metadata.name' <<<"$deployments")
for name in $stuck; do kubectl rollout restart deployment "$name"; done
for name in $stuck; do kubectl rollout status deployment "$name" --timeout=100s; done
