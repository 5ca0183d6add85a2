#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Removes the cause, then starts everything anew, to be safe.
kubectl delete deployment stocktake
kubectl rollout restart deployment
timeout 60 bash -c 'for each in $(kubectl get deployments --output=name); do kubectl rollout status "$each"; done'
exit 0
