#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# What the first run published is kept aside for the checks; then the data change.
set -eu
mkdir -p /root/first-run
cp -a /etc/addresses/. /root/first-run/
cat >/srv/addresses/plant.yml <<'LIST'
# kept by the people of the plant
hosts:
  - {name: press-10, address: 192.0.2.40}
  - {name: press-2, address: 192.0.2.33}
  - {name: boiler, address: 192.0.2.30}
LIST
cat >/srv/addresses/office.yml <<'LIST'
# sorted by floor from above
hosts:
  - name: copier
    address: 198.51.100.20
  - name: reception
    address: 198.51.100.10
  - name: printer
    address: 198.51.100.11
LIST
cat >/srv/addresses/yard.yml <<'LIST'
hosts:
  - {name: gate, address: 203.0.113.70}
LIST
