#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Each person's own key pairs, and the public halves in the roster; farid and dario hand theirs in later.
set -eu
mkdir -m 700 /root/people /srv/roster/keys
cd /root/people
for name in amira bruno bruno-desk celia dario elif farid; do
  ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$name"
done
for name in amira celia elif; do cp "$name.pub" /srv/roster/keys; done
{
  cat bruno.pub
  echo
  echo '# in the office'
  cat bruno-desk.pub
} >/srv/roster/keys/bruno.pub
chmod 600 /srv/roster/keys/*
