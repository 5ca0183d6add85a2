#!/bin/sh
# Seven messages wait on each host, beside files that are none.
set -eu
mkdir -p /var/spool/outbound
cd /var/spool/outbound
for number in 1 2 3 4 5 6; do echo "message $number" >"0$number.msg"; done
echo "message 7" >"07 with a space.msg"
echo unfinished >08.tmp
echo lock >queue.lock
