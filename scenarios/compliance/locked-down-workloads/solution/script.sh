#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The containers of all workloads, with what counts for each of them.
set -euo pipefail
kubectl get deployments,statefulsets --output=json | jq '{
  workloads: [.items[] | .spec.template.spec as $pod | {
    kind,
    name: .metadata.name,
    containers: [($pod.initContainers // [])[], $pod.containers[] | {
      name,
      nonRoot: (if .securityContext.runAsNonRoot == null then $pod.securityContext.runAsNonRoot
                else .securityContext.runAsNonRoot end),
      readOnly: .securityContext.readOnlyRootFilesystem
    }]
  }]
}' >collected_data.json
