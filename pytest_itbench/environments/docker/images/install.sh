#!/bin/sh
# Install packages with whatever package manager the image has.
set -eu
if command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # Services start when the machine does, not while its image is built.
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$@"
  rm -rf /usr/sbin/policy-rc.d /var/cache/apt/archives/*.deb
  # The lists stay out: without a network they would only promise what cannot be installed.
  rm -rf /var/lib/apt/lists/*
elif command -v dnf >/dev/null; then
  dnf install -y -q --setopt=install_weak_deps=False "$@" && dnf clean all -q
elif command -v apk >/dev/null; then
  apk add --no-cache -q "$@"
else
  echo "no package manager known here (apt-get, dnf, apk)" >&2
  exit 1
fi
