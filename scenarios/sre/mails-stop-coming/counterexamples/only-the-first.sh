#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl exec deployment/queue -- redis-cli eval "
  local first = redis.call('xrange', 'jobs', '-', '+', 'count', 1)[1]
  redis.call('xadd', 'jobs-dead', '*', unpack(first[2]))
  redis.call('xack', 'jobs', 'fulfilment', first[1])
  redis.call('xdel', 'jobs', first[1])" 0
