#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# A user whose jobs run here, and a table of somebody else's jobs.
set -eu
useradd --create-home --shell /bin/sh reporter
mkdir -p /srv/reports
echo '10 1 * * 6 /usr/bin/true # asked for by the auditors' | crontab -u backup -
