#!/bin/bash
set -eu
kubectl rollout restart deployment queue
kubectl rollout undo deployment worker
kubectl rollout status deployment queue --timeout=60s
kubectl rollout status deployment worker --timeout=60s
