#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The old release is current everywhere; edge3 was set up in earlier days, and edge4 is held back.
set -eu
mkdir -p /etc/feed /var/log/feed
ln -s releases/2.3.1 /srv/feed/current
echo 2 >/etc/feed/layout
case $(hostname) in
  edge3) echo 1 >/etc/feed/layout ;;
  edge4) echo "until the fair is over" >/srv/feed/HOLD ;;
esac
