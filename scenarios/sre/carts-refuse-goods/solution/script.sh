#!/bin/bash
set -eu
kubectl patch configmap cache-settings --patch '{"data": {"maxmemory": "16mb"}}'
kubectl rollout restart deployment cache
kubectl rollout status deployment cache --timeout=60s
