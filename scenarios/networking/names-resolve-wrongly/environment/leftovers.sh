#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# What has been left on each host since the service moved, and the name server that has read it.
set -eu

set_resolver() {
  {
    echo "# office network"
    echo "search corp.example"
    printf 'nameserver %s\n' "$@"
    echo "options timeout:1 attempts:1"
  } >/etc/resolv.conf
}

case $(hostname) in
  names)
    cat >>/etc/hosts <<'LINES'
# answered to everybody, ask before you change these
10.66.0.60 wiki.corp.example wiki
10.66.0.9 stock.corp.example stock
LINES
    service dnsmasq start
    ;;
  shop1)
    cat >>/etc/hosts <<'LINES'
# label machine, facilities
10.66.0.12	label.corp.example label stock.corp.example # since the fair
# stock.corp.example is asked for by the tills
10.66.0.9	stock.corp.example	stock
10.66.0.9 stock
10.66.0.21 overstock.corp.example overstock
10.66.0.31 stock.corp.example.lab.example
LINES
    set_resolver "$(getent ahostsv4 names | awk 'NR == 1 { print $1 }')"
    ;;
  shop2)
    cat >>/etc/hosts <<'LINES'
# stock-taking, until the end of the year
10.66.0.40 livestock.corp.example livestock
LINES
    set_resolver 192.0.2.53 192.0.2.54
    ;;
esac
