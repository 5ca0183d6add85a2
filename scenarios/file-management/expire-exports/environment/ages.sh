#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Everything is 40 days old, links and directories included, except for three exports.
set -eu
find /srv/exports /srv/archive /srv/exports-legal -exec touch -h -d '40 days ago' {} +
cd /srv/exports/daily
touch -d '32 days ago' export-20240103.csv.gz
touch -d '28 days ago' export-20240401.csv
touch -d '1 day ago' export-20230901.csv export-20240402.csv.gz
touch -d '40 days ago' .
