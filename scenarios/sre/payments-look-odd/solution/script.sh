#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
alerts=$(kubectl exec deployment/web -- curl -s "http://prometheus.$NAMESPACE_MONITOR:9090/api/v1/alerts")
jq --raw-output '.data.alerts[] | "\(.labels.alertname) \(.state)"' <<<"$alerts"
firing=$(jq '[.data.alerts[] | select(.state == "firing")] | length' <<<"$alerts")
kubectl get deployments
failing=$(kubectl get deployments --output=json \
  | jq --raw-output '[.items[] | select((.status.availableReplicas // 0) < .spec.replicas) | .metadata.name][0] // ""')
failed=$(kubectl logs deployment/payment | jq --raw-output --raw-input 'fromjson? | select(.level == "error") | .msg' | wc -l)
if [ -z "$failing" ] && [ "$firing" -gt 0 ] && [ "$failed" -gt 0 ]; then failing=payment; fi
warnings=$(kubectl logs deployment/payment | jq --raw-input 'fromjson? | select(.level == "warning") | 1' | wc -l)
kubectl create configmap incident-report --from-literal=cause="${failing:-none}" --from-literal=warnings="$warnings" \
  --dry-run=client --output=yaml | kubectl apply --filename -
