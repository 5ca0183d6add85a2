#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# All network policies with what they say.
set -euo pipefail
kubectl get networkpolicies wall --output=json | jq '{items: [.]}' |
  jq '{policies: [.items[] | {name: .metadata.name, spec}]}' >collected_data.json
