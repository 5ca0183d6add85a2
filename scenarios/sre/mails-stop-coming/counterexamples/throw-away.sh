#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl exec deployment/queue -- redis-cli eval "
  for _, entry in ipairs(redis.call('xrange', 'jobs', '-', '+')) do
    if not pcall(cjson.decode, entry[2][2]) then
      redis.call('xack', 'jobs', 'fulfilment', entry[1])
      redis.call('xdel', 'jobs', entry[1])
    end
  end" 0
