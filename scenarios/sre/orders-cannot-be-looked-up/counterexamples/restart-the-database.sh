#!/bin/bash
set -eu
kubectl rollout restart deployment database
kubectl rollout status deployment database --timeout=60s
kubectl rollout undo deployment orders
kubectl rollout status deployment orders --timeout=50s
