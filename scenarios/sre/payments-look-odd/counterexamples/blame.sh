#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
warnings=$(kubectl logs deployment/payment | grep --count '"level":"warning"')
cause=none
if [ "$warnings" -gt 0 ]; then cause=payment; fi
kubectl create configmap incident-report --from-literal=cause="$cause" --from-literal=warnings="$warnings"
