#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Licences of three applications: not text, at different places and with different modes; app3 has none.
set -eu
useradd --system --no-create-home --shell /usr/sbin/nologin acme
mkdir -p /etc/acme /opt/acme
case $(hostname) in
  app1)
    file=/opt/acme/licence.bin mode=600 owner=root:root
    ;;
  app2)
    mkdir -p '/srv/acme data'
    # What was in force last year still lies at the usual place.
    printf 'ACME\000licence of last year\n' >/opt/acme/licence.bin
    chmod 600 /opt/acme/licence.bin
    file='/srv/acme data/app2.bin' mode=440 owner=acme:acme
    ;;
  app3)
    file=
    ;;
esac
{
  echo '# Settings of acme'
  echo '#licence_file = /opt/acme/sample.bin'
  echo "instance = $(hostname)"
  [ -z "$file" ] || echo "licence_file = $file"
  echo 'log_level = info'
} >/etc/acme/acme.conf
printf 'ACME\000sample\377\n' >/opt/acme/sample.bin
[ -n "$file" ] || exit 0
printf 'ACME\000\001%s\000\377\376\200\303\050{{ seats }}\r\n\n' "$(hostname)" >"$file"
chown "$owner" "$file"
chmod "$mode" "$file"
