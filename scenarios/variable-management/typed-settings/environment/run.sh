#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The service runs; on meter2 with the settings of before, for nobody has restarted it since they were spoiled.
set -eu
if [ -e /var/lib/meter/before.json ]; then
  cp -p /etc/meter/settings.json /etc/meter/spoiled.json
  cat /var/lib/meter/before.json >/etc/meter/settings.json
fi
service meter start
if [ -e /etc/meter/spoiled.json ]; then
  mv /etc/meter/spoiled.json /etc/meter/settings.json
  rm -r /var/lib/meter
fi
: >/var/log/meter/starts.log
