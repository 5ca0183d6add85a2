#!/bin/sh
# Nothing is said of root, so that it may log in by key.
set -eu
groupadd partners
useradd --create-home --shell /bin/bash anja
useradd --create-home --shell /bin/bash --groups partners paul
cat >/etc/ssh/sshd_config.d/50-image.conf <<'END'
PasswordAuthentication no
KbdInteractiveAuthentication no
END
