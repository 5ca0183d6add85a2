#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Keep for the checks what the first run made; then time goes on: a new service, a lost token, a loosened mode.
set -eu
rm -rf /root/after-first-run
mkdir -m 700 /root/after-first-run
cp -a /srv/auth/tokens/. /root/after-first-run/
echo metrics >>/srv/auth/services.list
rm -f /srv/auth/tokens/billing.token
if [ -e /srv/auth/tokens/shop.token ]; then
  chmod 644 /srv/auth/tokens/shop.token
fi
