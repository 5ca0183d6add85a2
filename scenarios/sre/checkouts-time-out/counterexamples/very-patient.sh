#!/bin/bash
kubectl set env deployment checkout CALL_TIMEOUT_SECONDS=30
kubectl rollout status deployment checkout --timeout=60s
