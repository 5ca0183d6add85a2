#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
kubectl exec deployment/cache -- sh -c 'redis-cli --no-auth-warning -a "$REDIS_PASSWORD" config set maxmemory 16mb'
