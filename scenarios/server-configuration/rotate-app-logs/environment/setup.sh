#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The tracker's user and what it has logged so far; a log of other people that their own rule finds too big.
set -eu
useradd --system --no-create-home --home-dir /var/log/trackd --shell /usr/sbin/nologin --gid adm trackd
install -d -o trackd -g adm -m 0770 /var/log/trackd
write() {
  seq "$1" "$2" | while read -r number; do
    printf '%07d events seen, and here is what there is to tell about it: %s\n' "$number" earlier
  done
}
cd /var/log/trackd
write 1 300 | gzip >events.log.2.gz
write 301 600 >events.log.1
write 601 2400 >events.log
echo '0000001 errors seen, and here is what there is to tell about it: the first one' >errors.log
chown trackd:adm ./*
chmod 0640 ./*
install -d -o root -g adm -m 0750 /var/log/billing
seq 1 600 >/var/log/billing/billing.log
