# Minimum, maximum and warning stand in fields 4 to 6 of /etc/shadow; those of system accounts are empty.

ageing() {
  seen=$(awk -F: -v user="$1" '$1 == user { print $4 " " $5 " " $6 }' /etc/shadow)
  echo "minimum, maximum and warning of $1 are $seen, wanted $2"
  [ "$seen" = "$2" ]
}

# The last line for a setting counts.
default() {
  seen=$(awk -v name="$1" '$1 == name { value = $2 } END { print value }' /etc/login.defs)
  echo "$1 in /etc/login.defs is ${seen:-not set}, wanted $2"
  [ "$seen" = "$2" ]
}

inactive() {
  useradd -D
  useradd -D | grep -qx INACTIVE=30
}

others_kept() {
  ours='^[[:space:]]*(#|$|PASS_MAX_DAYS|PASS_MIN_DAYS|PASS_WARN_AGE)'
  grep -Ev "$ours" /root/login.defs.before | sort >/run/validate-before
  grep -Ev "$ours" /etc/login.defs | sort >/run/validate-after
  diff /run/validate-before /run/validate-after
}

hashes_kept() {
  for user in anja bela robot dbadmin; do
    seen=$(awk -F: -v user="$user" '$1 == user { print $2 }' /etc/shadow)
    case "$seen" in
      '$6$itbench$1Kq9uXyqWmQWxTHkbqCkGhAP0Uo1CgB0fmVnDQ6mQ8oQxg3JrYyYw0wqv7mCjYp8v1yPqXvP7mQ2pYbVxwRZ1') ;;
      *) echo "the password hash of $user is now $seen"; return 1 ;;
    esac
  done
}

accounts_kept() {
  awk -F: '$1 ~ /^(anja|bela|robot|courier|relay|dbadmin)$/ { print $1, $6, $7 }' /etc/passwd | sort >/run/validate-accounts
  cat /run/validate-accounts
  diff - /run/validate-accounts <<'END'
anja /home/anja /bin/bash
bela /home/bela /bin/sh
courier /home/courier /usr/sbin/nologin
dbadmin /home/dbadmin /bin/bash
relay /home/relay /bin/false
robot /home/robot /bin/bash
END
}

check "maximum for new users" default PASS_MAX_DAYS 90
check "minimum for new users" default PASS_MIN_DAYS 1
check "warning for new users" default PASS_WARN_AGE 14
check "new accounts become inactive" inactive
check "other settings are kept" others_kept
check "anja has the new ageing" ageing anja "1 90 14"
check "bela has the new ageing" ageing bela "1 90 14"
check "robot is exempt" ageing robot "0 99999 7"
check "ops is exempt" ageing ops "0 99999 7"
check "accounts without a shell are left alone" ageing courier "0 99999 7"
check "accounts with a false shell are left alone" ageing relay "0 99999 7"
check "system accounts are left alone" ageing dbadmin "  "
check "root is left alone" ageing root "0 99999 7"
check "password hashes are kept" hashes_kept
check "shells and home directories are kept" accounts_kept
rm -f /run/validate-before /run/validate-after /run/validate-accounts
