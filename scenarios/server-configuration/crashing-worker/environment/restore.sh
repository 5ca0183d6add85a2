#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# As the machine came back from its backup: an old section, a spool that belongs to root, a lock of a process long gone.
set -eu
sed -i -e 's|^command=.*|command=/opt/invoices/worker|' -e 's|^user=.*|user=nobody|' /etc/supervisor/conf.d/invoices.conf
for number in 2041 2042 2043 2044 2045 2046; do
  echo "invoice $number" >"/var/spool/invoices/in/$number.job"
done
chown -R root:root /var/spool/invoices
chmod 0700 /var/spool/invoices /var/spool/invoices/in /var/spool/invoices/done
chmod 0600 /var/spool/invoices/in/*.job /var/spool/invoices/done/*.job
echo 29871 >/var/lib/invoices/worker.lock
chown invoices:invoices /var/lib/invoices/worker.lock
