#!/bin/sh
set -eu
useradd --create-home --shell /bin/bash deploy
useradd --no-create-home --groups backup saver
cat >/etc/sudoers.d/deploy <<'END'
deploy ALL=(root) /usr/sbin/service shop restart
END
chmod 440 /etc/sudoers.d/deploy
