#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The worker's user and directories, and some work that is done.
set -eu
useradd --system --no-create-home --home-dir /var/spool/invoices --shell /usr/sbin/nologin invoices
install -d -o invoices -g invoices -m 0750 /var/spool/invoices /var/spool/invoices/in /var/spool/invoices/done
install -d -o invoices -g invoices -m 0755 /var/lib/invoices /var/log/invoices
for number in 1998 1999; do
  echo "sent by billing desk: invoice $number" >"/var/spool/invoices/done/$number.job"
  echo "$number.job" >>/var/log/invoices/sent.log
done
chown invoices:invoices /var/spool/invoices/done/*.job /var/log/invoices/sent.log
chmod 0640 /var/spool/invoices/done/*.job
