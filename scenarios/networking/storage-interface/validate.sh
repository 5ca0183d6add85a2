#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# What ifupdown itself makes of the configuration; with --no-act it only prints what it would do.
directory=/etc/network/interfaces.d
plan=$(/usr/sbin/ifup --no-act --force --verbose eth1 2>&1)

says() { # says PATTERN WHAT: the plan holds a line that matches
  printf '%s\n' "$plan" | grep -Eq "$1" || { echo "ifup would not $2; it would do:"; echo "$plan"; return 1; }
}

says_not() {
  ! printf '%s\n' "$plan" | grep -Eq "$1" || { echo "ifup would $2; it would do:"; echo "$plan"; return 1; }
}

owner_and_mode() {
  seen=$(stat -c '%U:%G %a' "$directory/eth1")
  [ "$seen" = "root:root 644" ] || { echo "eth1 is $seen"; return 1; }
}

known_to_ifupdown() {
  /usr/sbin/ifquery eth1 >/dev/null || return 1
  says '^ *ip addr add 10\.40\.0\.15/(255\.255\.255\.0|24)( |$)' "add the address 10.40.0.15/24" || return 1
  addresses=$(printf '%s\n' "$plan" | grep -c '^ *ip addr add')
  [ "$addresses" = 1 ] || { echo "ifup would add $addresses addresses"; return 1; }
}

at_boot() {
  /usr/sbin/ifquery --list | grep -qx eth1 || { echo "ifup -a would bring up:" $(/usr/sbin/ifquery --list); return 1; }
}

no_dhcp() {
  ! grep -Er '^[[:space:]]*iface[[:space:]]+eth1[[:space:]].*dhcp|^[[:space:]]*hostname[[:space:]]' "$directory" || return 1
  says_not 'dhclient|dhcpcd|DHCP' "ask for an address by DHCP"
}

route_once_up() { # after the address and the link, or the kernel would refuse it
  printf '%s\n' "$plan" | awk '
    /^ *ip link set .*up/ { linked = 1 }
    linked && /ip (-4 )?(route|ro|r) (add|replace|append) / && /10\.41\.0\.0\/16/ && /via 10\.40\.0\.1( |$|;|\|)/ { found = 1 }
    END { exit !found }' || { echo "ifup would not add the route once eth1 is up; it would do:"; echo "$plan"; return 1; }
}

other_files_untouched() {
  sha256sum -c <<SUMS
d24d8e71d14f3abf60fda671ee61586540e39013f6189adb87e11eb8109b5f18  /etc/network/interfaces
98a01dca891b75155740fe7350980f8c15643c921605bff56e1a4ae3c8ed6b0e  /etc/network/interfaces.d/eth2
SUMS
  [ $? = 0 ] || return 1
  seen=$(find "$directory" -mindepth 1 | sort | tr '\n' ' ')
  [ "$seen" = "$directory/eth1 $directory/eth2 " ] || { echo "in $directory: $seen"; return 1; }
}

check owner_and_mode owner_and_mode
check static_address known_to_ifupdown
check at_boot at_boot
check jumbo_frames says 'ip link set .*mtu 9000( |$)' "set the MTU 9000"
check route_once_up route_once_up
check no_default_route says_not '(ip|route) .*(default|0\.0\.0\.0/0)' "set a default route"
check no_dhcp no_dhcp
check other_files_untouched other_files_untouched
