#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Sets the bad ones aside, and puts everything else into the queue once more, to be safe.
set -eu
kubectl exec deployment/queue -- redis-cli eval "
  for _, entry in ipairs(redis.call('xrange', 'jobs', '-', '+')) do
    if pcall(cjson.decode, entry[2][2]) then
      redis.call('xadd', 'jobs', '*', unpack(entry[2]))
    else
      redis.call('xadd', 'jobs-dead', '*', unpack(entry[2]))
      redis.call('xack', 'jobs', 'fulfilment', entry[1])
      redis.call('xdel', 'jobs', entry[1])
    end
  end" 0
