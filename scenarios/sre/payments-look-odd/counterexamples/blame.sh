#!/bin/bash
warnings=$(kubectl logs deployment/payment | grep --count '"level":"warning"')
cause=none
if [ "$warnings" -gt 0 ]; then cause=payment; fi
kubectl create configmap incident-report --from-literal=cause="$cause" --from-literal=warnings="$warnings"
