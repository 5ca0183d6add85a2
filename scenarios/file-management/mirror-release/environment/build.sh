#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
cd "$(mktemp -d)"
mkdir -p /srv/releases
for version in 1.8.0 1.9.4 1.10.0-rc1; do
  mkdir bin
  echo "$version" >VERSION
  printf '#!/bin/sh\necho widget %s\n' "$version" >bin/widget
  chmod 755 bin/widget
  tar -czf "/srv/releases/widget-$version.tar.gz" --owner=0 --group=0 VERSION bin
  rm -r VERSION bin
done
echo 1.9.4 >/srv/releases/LATEST
cd /srv/releases
sha256sum widget-*.tar.gz >SHA256SUMS
