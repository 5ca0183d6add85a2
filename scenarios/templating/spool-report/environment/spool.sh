#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Seven messages wait on each host, beside files that are none.
set -eu
mkdir -p /var/spool/outbound
cd /var/spool/outbound
for number in 1 2 3 4 5 6; do echo "message $number" >"0$number.msg"; done
echo "message 7" >"07 with a space.msg"
echo unfinished >08.tmp
echo lock >queue.lock
