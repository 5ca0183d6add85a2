#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
useradd --system --home-dir /srv/mirror --shell /usr/sbin/nologin mirror
mkdir -p /srv/mirror/pool /srv/mirror/widget/1.8.0 /srv/mirror/gadget
echo 1.8.0 >/srv/mirror/widget/1.8.0/VERSION
ln -s 1.8.0 /srv/mirror/widget/current
echo 'archive of version 1.8.0' >/srv/mirror/pool/widget-1.8.0.tar.gz
echo '3.2 of another project' >/srv/mirror/gadget/VERSION
# A transfer that was broken off.
[ "$(hostname)" = mirror-a ] || echo 'broken off' >/srv/mirror/pool/widget-1.9.4.tar.gz
chown -R mirror:mirror /srv/mirror
chown -R backup:backup /srv/mirror/gadget
