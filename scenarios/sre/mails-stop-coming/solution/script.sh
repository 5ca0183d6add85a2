#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
# One script in Redis, so that nothing happens between the steps.
read -r -d '' set_aside <<'EOF' || true
local found = {}
for _, entry in ipairs(redis.call('xrange', 'jobs', '-', '+')) do
  local identity, fields, job = entry[1], entry[2], ''
  for index = 1, #fields, 2 do
    if fields[index] == 'job' then job = fields[index + 1] end
  end
  if not pcall(cjson.decode, job) then
    redis.call('xadd', 'jobs-dead', '*', unpack(fields))
    redis.call('xack', 'jobs', 'fulfilment', identity)
    redis.call('xdel', 'jobs', identity)
    table.insert(found, identity)
  end
end
return found
EOF
kubectl exec deployment/queue -- redis-cli eval "$set_aside" 0
