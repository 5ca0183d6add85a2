#!/bin/bash
set -eu
kubectl set resources deployment web --requests=cpu=30m,memory=48Mi
kubectl rollout status deployment web --timeout=90s
