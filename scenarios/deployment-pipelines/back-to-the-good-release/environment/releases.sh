#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The same present release on both hosts: on app1 the parcels are still in the old format, which it cannot read.
set -eu
useradd --system --user-group --home-dir /srv/courier --shell /usr/sbin/nologin courier
umask 022
install -d /srv/courier/releases /srv/courier/shared /var/log/courier /var/lib/courier
chown courier:adm /var/log/courier

make_release() { # make_release VERSION FORMATS [VERDICT]
  release=/srv/courier/releases/$1
  mkdir -p "$release/bin"
  cp /usr/local/share/courier/courier "$release/bin/courier"
  chmod 755 "$release/bin/courier"
  echo "$1" >"$release/VERSION"
  echo "$2" >"$release/FORMATS"
  [ $# -lt 3 ] || echo "$3" >"$release/VERDICT"
}

make_release 4.6.0 2 good
make_release 4.7.9 2 good
make_release 4.7.10 2 good
make_release 4.8.0 3 good
case $(hostname) in
  app1)
    format=2
    make_release 4.7.2 2 good
    make_release 4.7.11 2 "not good: loses parcels"
    make_release 4.7.12 2
    make_release 4.9.0 3 good
    ;;
  app2) format=3 ;;
esac
printf '{"format": %s, "parcels": {"C-1017": "Lyon", "C-1018": "Gent"}}\n' $format >/srv/courier/shared/parcels.json
cat >/srv/courier/shared/HISTORY <<'LINES'
4.6.0 live
4.7.10 live
4.8.0 live
LINES
ln -s releases/4.8.0 /srv/courier/current
chown -R -h courier:courier /srv/courier
chmod 640 /srv/courier/shared/parcels.json
touch -d '2026-01-10 12:00' /srv/courier/releases/*
touch -d '2026-04-02 12:00' /srv/courier/releases/4.6.0
