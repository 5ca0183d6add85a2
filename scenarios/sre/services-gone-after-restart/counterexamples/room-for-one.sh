#!/bin/bash
set -eu
kubectl patch resourcequota team-quota --patch '{"spec": {"hard": {"limits.memory": "640Mi"}}}'
kubectl rollout restart deployment recommend stock
kubectl rollout status deployment recommend --timeout=10s || true
kubectl rollout status deployment stock --timeout=10s || true
