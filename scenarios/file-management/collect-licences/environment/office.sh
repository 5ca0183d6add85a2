#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Where licences are collected: an outdated copy of app2's, and what else people keep there.
set -eu
useradd --system --no-create-home --shell /usr/sbin/nologin keeper
mkdir -p /srv/licences/2023
cd /srv/licences
echo 'Ask the registry before you copy anything.' >README
printf 'ACME\000retired\377\n' >retired7.lic
printf 'ACME\000of 2023\377\n' >2023/app1.lic
printf 'ACME\000outdated\377\n' >app2.lic
chown -R keeper:keeper /srv/licences
chmod 750 /srv/licences /srv/licences/2023
chmod 640 README retired7.lic 2023/app1.lic app2.lic
