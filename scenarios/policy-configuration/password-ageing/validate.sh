# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
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

all_defaults() {
  default PASS_MAX_DAYS 90 && default PASS_MIN_DAYS 1 && default PASS_WARN_AGE 14
}

people() {
  ageing anja "1 90 14" && ageing bela "1 90 14"
}

exempt() {
  ageing robot "0 99999 7" && ageing ops "0 99999 7"
}

# Accounts without a shell or with a false one, and user IDs below 1000.
others() {
  ageing courier "0 99999 7" && ageing relay "0 99999 7" && ageing dbadmin "  " && ageing root "0 99999 7"
}

check "new users get the new ageing" all_defaults
check "new accounts become inactive" inactive
check "other settings are kept" others_kept
check "existing people have the new ageing" people
check "exempt accounts are untouched" exempt
check "other accounts are untouched" others
check "password hashes are kept" hashes_kept
check "shells and home directories are kept" accounts_kept
rm -f /run/validate-before /run/validate-after /run/validate-accounts
