#!/bin/bash
# Removes the cause, then starts everything anew, to be safe.
kubectl delete deployment stocktake
kubectl rollout restart deployment
timeout 60 bash -c 'for each in $(kubectl get deployments --output=name); do kubectl rollout status "$each"; done'
exit 0
