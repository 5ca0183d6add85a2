#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
groupadd partners
useradd --create-home --shell /bin/bash anja
useradd --create-home --shell /bin/bash --groups partners paul
cat >/etc/ssh/sshd_config.d/50-image.conf <<'END'
PasswordAuthentication yes
END
cat >>/etc/ssh/sshd_config <<'END'

PasswordAuthentication no
PermitRootLogin no
END
