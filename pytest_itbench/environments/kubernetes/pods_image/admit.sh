#!/bin/sh
# Let in the pods of the attempt, each given as ADDRESS=NAME, and write their names down for the machine.
set -eu
: >/tools/names
until [ -e /run/closed ]; do sleep 0.05; done
iptables -A INPUT -i lo -j ACCEPT
iptables -A OUTPUT -o lo -j ACCEPT
for pair in "$@"; do
  iptables -A INPUT -s "${pair%%=*}" -j ACCEPT
  iptables -A OUTPUT -d "${pair%%=*}" -j ACCEPT
  # Its own name is there already.
  [ "${pair#*=}" = "$(hostname)" ] || printf '%s\t%s\n' "${pair%%=*}" "${pair#*=}" >>/tools/names
done
# What goes elsewhere is refused at once: waiting for it would tell nothing.
iptables -A OUTPUT -j REJECT --reject-with icmp-net-unreachable
echo $$ >/run/admitted
