#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
useradd --create-home --shell /bin/bash deploy
useradd --no-create-home --groups backup saver
cat >/etc/sudoers.d/deploy <<'END'
deploy ALL=(root) /usr/sbin/service shop restart
END
chmod 440 /etc/sudoers.d/deploy
cat >/etc/sudoers.d/savers <<'END'
%backup ALL=(root) /usr/bin/rsync
Defaults:%backup !authenticate
END
chmod 440 /etc/sudoers.d/savers
