#!/bin/sh
set -eu
groupadd partners
useradd --create-home --shell /bin/bash anja
useradd --create-home --shell /bin/bash --groups partners paul
cat >/etc/ssh/sshd_config.d/50-image.conf <<'END'
PasswordAuthentication no
END
cat >>/etc/ssh/sshd_config <<'END'

PasswordAuthentication yes
PermitRootLogin no
END
