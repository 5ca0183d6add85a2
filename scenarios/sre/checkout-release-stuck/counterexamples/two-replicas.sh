#!/bin/bash
set -eu
kubectl rollout undo deployment checkout
kubectl scale deployment checkout --replicas=2
kubectl rollout status deployment checkout --timeout=60s
