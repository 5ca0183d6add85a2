#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# What must be as it was when the audit is over; three files there belong to the container's engine.
set -eu
cd /etc
find . -type f ! -name hosts ! -name hostname ! -name resolv.conf -exec sha256sum {} + | sort -k 2 >/root/files.before
find . ! -name hosts ! -name hostname ! -name resolv.conf -exec stat -c '%n %a %u %g' {} + | sort >/root/modes.before
