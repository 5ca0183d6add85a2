#!/bin/bash
# Sets the bad ones aside, then starts everything anew, to be safe.
kubectl exec deployment/queue -- redis-cli eval "
  for _, entry in ipairs(redis.call('xrange', 'jobs', '-', '+')) do
    if not pcall(cjson.decode, entry[2][2]) then
      redis.call('xadd', 'jobs-dead', '*', unpack(entry[2]))
      redis.call('xack', 'jobs', 'fulfilment', entry[1])
      redis.call('xdel', 'jobs', entry[1])
    end
  end" 0
kubectl rollout restart deployment
timeout 60 bash -c 'for each in $(kubectl get deployments --output=name); do kubectl rollout status "$each"; done'
exit 0
