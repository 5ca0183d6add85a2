#!/bin/sh
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
