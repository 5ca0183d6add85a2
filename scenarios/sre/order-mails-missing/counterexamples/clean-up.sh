#!/bin/bash
set -eu
kubectl delete job mail-import
kubectl delete configmap node-notice
kubectl rollout undo deployment mail
kubectl rollout status deployment mail --timeout=60s
