#!/bin/bash
kubectl patch configmap cache-settings --patch '{"data": {"maxmemory": "16mb", "policy": "allkeys-lru"}}'
kubectl rollout restart deployment cache
kubectl rollout status deployment cache --timeout=60s
