#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The present release is running, and the count of starts begins here.
set -eu
: >/var/lib/courier/starts
service courier start
for _ in $(seq 100); do
  curl -s -o /dev/null http://127.0.0.1:8090/health && exit 0
  sleep 0.05
done
exit 1
