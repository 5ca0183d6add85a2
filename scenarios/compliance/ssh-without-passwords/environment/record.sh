#!/bin/sh
# What must be as it was when the audit is over; three files there belong to the container's engine.
set -eu
cd /etc
find . -type f ! -name hosts ! -name hostname ! -name resolv.conf -exec sha256sum {} + | sort -k 2 >/root/files.before
find . ! -name hosts ! -name hostname ! -name resolv.conf -exec stat -c '%n %a %u %g' {} + | sort >/root/modes.before
