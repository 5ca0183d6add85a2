#!/bin/bash
# All network policies with what they say.
set -euo pipefail
kubectl get networkpolicies wall --output=json | jq '{items: [.]}' |
  jq '{policies: [.items[] | {name: .metadata.name, spec}]}' >collected_data.json
