#!/bin/bash
set -eu
kubectl get nodes
for node in $(kubectl get nodes --output=jsonpath='{.items[?(@.spec.unschedulable==true)].metadata.name}'); do
  kubectl uncordon "$node"
done
kubectl rollout status deployment cart --timeout=60s
