#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
kubectl rollout restart deployment checkout
kubectl delete pods --selector app=checkout --wait=false
kubectl rollout status deployment checkout --timeout=20s || true
