#!/bin/bash
set -eu
kubectl exec deployment/queue -- redis-cli eval "
  for _, entry in ipairs(redis.call('xrange', 'jobs', '-', '+')) do
    if not pcall(cjson.decode, entry[2][2]) then
      redis.call('xack', 'jobs', 'fulfilment', entry[1])
      redis.call('xdel', 'jobs', entry[1])
    end
  end" 0
