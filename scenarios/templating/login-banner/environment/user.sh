#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Somebody who logs in and sees the banner.
set -eu
useradd --create-home --shell /bin/bash clara
install -d -m 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -C clara -f /root/.ssh/clara
install -d -o clara -g clara -m 700 /home/clara/.ssh
install -o clara -g clara -m 600 /root/.ssh/clara.pub /home/clara/.ssh/authorized_keys
