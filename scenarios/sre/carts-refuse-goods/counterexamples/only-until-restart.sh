#!/bin/bash
kubectl exec deployment/cache -- sh -c 'redis-cli --no-auth-warning -a "$REDIS_PASSWORD" config set maxmemory 16mb'
