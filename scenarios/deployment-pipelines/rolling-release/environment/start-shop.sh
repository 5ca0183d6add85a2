#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The earlier release is in service, and the watch over the members begins here.
set -eu
ln -s releases/3.0.0 /srv/shop/current
service shop start
for _ in $(seq 100); do
  curl -sf -o /dev/null http://127.0.0.1:8080/health && break
  sleep 0.05
done
curl -sSf -o /dev/null http://127.0.0.1:8080/health
: >/var/log/shop/outages.log
: >/var/log/shop/starts.log
