#!/bin/bash
set -eu
kubectl patch resourcequota team-quota --patch '{"spec": {"hard": {"limits.memory": 2Gi}}}'
kubectl rollout restart deployment recommend stock
kubectl rollout status deployment recommend --timeout=60s
kubectl rollout status deployment stock --timeout=60s
