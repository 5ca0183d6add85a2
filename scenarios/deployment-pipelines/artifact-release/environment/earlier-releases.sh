#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# A host with four earlier releases, one of them touched lately, and the artefact of the next one.
set -eu
useradd --system --user-group --home-dir /srv/shop --shell /usr/sbin/nologin shop
umask 022
work=$(mktemp -d)

make_release() { # make_release VERSION DIRECTORY
  mkdir -p "$2/bin"
  echo "$1" >"$2/VERSION"
  cat >"$2/bin/shop" <<'PROGRAM'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/..
port=$(sed -n 's/^port *= *//p' "$here/settings.ini") || exit 1
echo "shop $(cat "$here/VERSION") on port $port"
PROGRAM
  chmod 755 "$2/bin/shop"
}

mkdir -p /srv/artifacts /srv/shop/releases /srv/shop/shared
printf '[shop]\nport = 8443\nkey = q7-Lm2-x9\n' >/srv/shop/shared/settings.ini
for version in 2.8.3 2.9.0 2.9.1 2.9.12; do
  make_release $version /srv/shop/releases/$version
  ln -s /srv/shop/shared/settings.ini /srv/shop/releases/$version/settings.ini
done
ln -s releases/2.9.12 /srv/shop/current
echo "2.9.1 was taken back on a Friday" >/srv/shop/releases/NOTES
chown -R shop:shop /srv/shop
chmod 640 /srv/shop/shared/settings.ini
touch -d '2026-01-10 12:00' /srv/shop/releases/2.9.0 /srv/shop/releases/2.9.1 /srv/shop/releases/2.9.12
touch -d '2026-03-02 12:00' /srv/shop/releases/2.8.3

make_release 2.10.0 "$work/shop-2.10.0"
tar -C "$work" --owner=builder:4711 --group=builder:4711 -czf /srv/artifacts/shop-2.10.0.tar.gz shop-2.10.0
rm -rf "$work"
