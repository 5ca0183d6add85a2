#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
kubectl patch deployment cart --patch '{"spec": {"template": {"spec": {"tolerations": [
  {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]}}}}'
kubectl rollout status deployment cart --timeout=60s
