#!/bin/bash
set -eu
kubectl exec deployment/queue -- redis-cli eval "
  local first = redis.call('xrange', 'jobs', '-', '+', 'count', 1)[1]
  redis.call('xadd', 'jobs-dead', '*', unpack(first[2]))
  redis.call('xack', 'jobs', 'fulfilment', first[1])
  redis.call('xdel', 'jobs', first[1])" 0
