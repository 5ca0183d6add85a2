#!/bin/sh
# What Ansible needs, and what an administrator finds on any server.
set -eu
here=$(dirname "$0")
if command -v apt-get >/dev/null; then
  sh "$here/install.sh" acl ca-certificates cron curl iproute2 iputils-ping logrotate openssh-server procps \
    python3 python3-apt rsync rsyslog sudo
elif command -v dnf >/dev/null; then
  sh "$here/install.sh" acl cronie iproute iputils logrotate openssh-server procps-ng python3 rsync rsyslog sudo shadow-utils
else
  sh "$here/install.sh" acl bash curl iproute2 logrotate openssh procps python3 rsync shadow sudo
fi
id ops >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ops
usermod -p '*' ops # no password, and not locked either: a locked user may not log in by key everywhere
install -d -o ops -g ops -m 700 /home/ops/.ssh
mkdir -p /etc/sudoers.d && echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops && chmod 440 /etc/sudoers.d/ops
ssh-keygen -A
