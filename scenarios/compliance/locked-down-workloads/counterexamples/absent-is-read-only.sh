#!/bin/bash
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
      readOnly: (.securityContext.readOnlyRootFilesystem != false)
    }]
  }]
}' >collected_data.json
