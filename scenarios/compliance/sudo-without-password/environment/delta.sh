#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
useradd --create-home --shell /bin/bash deploy
useradd --no-create-home --groups backup saver
cat >/etc/sudoers.d/deploy <<'END'
# NOPASSWD: was taken away from deploy in spring.
User_Alias NOPASSWD_UNTIL_SPRING = deploy, saver
NOPASSWD_UNTIL_SPRING ALL=(root) PASSWD: /usr/sbin/service shop restart
Defaults:NOPASSWD_UNTIL_SPRING authenticate
END
chmod 440 /etc/sudoers.d/deploy
cat >/etc/sudoers.d/deploy.bak <<'END'
deploy ALL=(ALL) NOPASSWD: ALL
END
chmod 440 /etc/sudoers.d/deploy.bak
cat >/etc/sudoers.d/savers~ <<'END'
Defaults:%backup !authenticate
END
chmod 440 /etc/sudoers.d/savers~
cat >/etc/sudoers.d/watch <<'END'
ops ALL=(root) NOPASSWD: /usr/bin/true
Defaults:ops !authenticate
END
chmod 440 /etc/sudoers.d/watch
