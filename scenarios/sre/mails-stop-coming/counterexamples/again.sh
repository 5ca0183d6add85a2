#!/bin/bash
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
