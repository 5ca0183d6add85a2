#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# People who left (mara, tobi, lenka), namesakes and service accounts, each with all that gives access.
set -eu
hash='$6$itbench$1Kq9uXyqWmQWxTHkbqCkGhAP0Uo1CgB0fmVnDQ6mQ8oQxg3JrYyYw0wqv7mCjYp8v1yPqXvP7mQ2pYbVxwRZ1'
key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUowQ2wRWv+qp+iGg4/BnonbkyH+tXt6StTfFYw1Np+'

for group in developers release payroll lenka; do groupadd "$group"; done
useradd --system --user-group --no-create-home --shell /usr/sbin/nologin archive
useradd --create-home --shell /bin/bash --password "$hash" --groups sudo,developers mara
useradd --create-home --shell /bin/bash --password "$hash" --groups developers,release tobi
useradd --create-home --shell /bin/bash --password "$hash" --gid payroll lenka
useradd --create-home --shell /bin/bash --password "$hash" --groups sudo,developers mara2
useradd --create-home --shell /bin/bash --password "$hash" --groups payroll,release tamara
useradd --system --user-group --create-home --home-dir /srv/tobi-sync --shell /bin/sh --groups release tobi-sync
useradd --no-create-home --shell /bin/bash --password '*' --groups release deploy
chown -R deploy:deploy /home/deploy
chmod 700 /home/deploy/.ssh

mkdir /srv/projects /srv/payroll
echo 'the plan' >/srv/projects/plan
echo '2024;1' >/srv/payroll/list.csv
chown -R mara2:developers /srv/projects
chown -R tamara:payroll /srv/payroll
chmod 2775 /srv/projects
chmod 640 /srv/payroll/list.csv

# Keys and cron tables; a table's text names its owner.
for user in mara tobi mara2 tamara; do
  mkdir -m 700 "/home/$user/.ssh"
  echo "$key $user@home" >"/home/$user/.ssh/authorized_keys"
  echo "known.example.test $key" >"/home/$user/.ssh/known_hosts"
  chmod 600 "/home/$user/.ssh/authorized_keys"
done
cp -p /home/tobi/.ssh/authorized_keys /home/tobi/.ssh/authorized_keys2
for user in mara tobi mara2 tobi-sync; do
  table=/var/spool/cron/crontabs/$user
  echo "5 3 * * * echo $user >/dev/null" >"$table"
  chown "$user:crontab" "$table"
  chmod 600 "$table"
done

echo 'my notes' >/home/mara/notes.txt
chmod 600 /home/mara/notes.txt
mkdir -p '/home/mara/.config/old things' /home/tobi/drafts
echo 'kept' >'/home/mara/.config/old things/a file'
echo 'draft' >/home/tobi/drafts/first
ln -s /srv/projects /home/mara/projects
ln -s drafts /home/tobi/current
ln -s /srv/payroll/list.csv /home/lenka/list.csv
chmod 700 /home/lenka /home/tobi/drafts
for user in mara tobi lenka mara2 tamara; do chown -Rh "$user:" "/home/$user"; done

# What must be as it was.
mkdir -m 700 /root/before
cp /etc/passwd /etc/shadow /etc/group /root/before
cd /home
find mara tobi lenka ! -name 'authorized_keys*' -exec stat -c '%a %n' {} + >/root/before/modes
find mara tobi lenka ! -name 'authorized_keys*' -type f -exec sha256sum {} + >/root/before/sums
