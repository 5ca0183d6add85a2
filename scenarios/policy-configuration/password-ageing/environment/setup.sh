#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
groupadd automation
hash='$6$itbench$1Kq9uXyqWmQWxTHkbqCkGhAP0Uo1CgB0fmVnDQ6mQ8oQxg3JrYyYw0wqv7mCjYp8v1yPqXvP7mQ2pYbVxwRZ1'
useradd --create-home --shell /bin/bash --password "$hash" anja
useradd --create-home --shell /bin/sh --password "$hash" bela
useradd --create-home --shell /bin/bash --password "$hash" --groups automation robot
useradd --no-create-home --shell /usr/sbin/nologin courier
useradd --no-create-home --shell /bin/false relay
useradd --system --shell /bin/bash --password "$hash" dbadmin
chage -M 45 -m 0 -W 3 anja
cp /etc/login.defs /root/login.defs.before
