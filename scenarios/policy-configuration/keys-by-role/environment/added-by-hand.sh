#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Keep what the first run wrote; then somebody helps himself to an account.
set -eu
mkdir -p /root/first
for account in deploy report rescue; do
  cp "/home/$account/.ssh/authorized_keys" /root/first/$account 2>/dev/null || :
done
add() {
  mkdir -p "/home/$1/.ssh"
  echo "$2" >>"/home/$1/.ssh/authorized_keys"
}
case $(hostname) in
  app1)
    add report 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOaMNcSTHpYD764FMHctWkIFSa7xZiZQLNjHBXpJ3e+B amira'
    ;;
  app2)
    add deploy 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDlJXWt3iLyfKfzbE5F/onSTGWlNWPSZfbsFJlLvACb+ nobody@nowhere'
    chmod 664 /home/deploy/.ssh/authorized_keys
    ;;
esac
