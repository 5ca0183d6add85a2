#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The old release is in service, and the watch over the starts begins here.
set -eu
service feed start
for _ in $(seq 100); do
  [ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/check)" = 200 ] && break
  sleep 0.05
done
curl -sSf -o /dev/null http://127.0.0.1:8080/check
: >/var/log/feed/starts.log
: >/var/log/feed/too-early.log
