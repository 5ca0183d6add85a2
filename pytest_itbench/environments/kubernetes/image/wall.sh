#!/bin/sh
# Let the pod reach nothing but the API server: its service and what stands behind it. Runs before the candidate, in the
# same network namespace, and does not depend on what the cluster does with network policies.
set -eu
for tables in iptables ip6tables; do
  "$tables" -P OUTPUT DROP 2>/dev/null || [ "$tables" = ip6tables ]
done
iptables -A OUTPUT -o lo -j ACCEPT
iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
for place in "$@"; do
  iptables -A OUTPUT -p tcp -d "${place%:*}" --dport "${place##*:}" -j ACCEPT
done
iptables -A OUTPUT -j REJECT
