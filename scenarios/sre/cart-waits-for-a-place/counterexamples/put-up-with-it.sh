#!/bin/bash
kubectl patch deployment cart --patch '{"spec": {"template": {"spec": {"tolerations": [
  {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]}}}}'
kubectl rollout status deployment cart --timeout=60s
