#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# bruno changes his role, celia left, dario is new, elif is back, and farid handed in his key.
set -eu
cp /root/roster-later.yml /srv/roster/roster.yml
cp /root/people/dario.pub /root/people/farid.pub /srv/roster/keys
cd /srv/roster
sha256sum roster.yml keys/* >/root/roster.sums
