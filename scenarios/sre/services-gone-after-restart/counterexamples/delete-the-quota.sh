#!/bin/bash
set -eu
kubectl delete resourcequota team-quota
kubectl rollout restart deployment recommend stock
kubectl rollout status deployment recommend --timeout=60s
kubectl rollout status deployment stock --timeout=60s
