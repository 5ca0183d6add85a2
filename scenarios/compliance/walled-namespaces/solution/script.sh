#!/bin/bash
# All network policies with what they say.
set -euo pipefail
kubectl get networkpolicies --output=json |
  jq '{policies: [.items[] | {name: .metadata.name, spec}]}' >collected_data.json
