#!/bin/bash
set -eu
kubectl scale deployment stock --replicas=1
kubectl rollout status deployment stock --timeout=60s
