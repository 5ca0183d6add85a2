#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Exports of all kinds: each file holds its own path.
set -eu
useradd --system --home-dir /srv/exports --shell /usr/sbin/nologin exporter
make_file() {
  mkdir -p "$(dirname "$1")"
  echo "$1" >"$1"
  chmod 640 "$1"
}
for name in README.txt daily/export-20230901.csv daily/export-20240103.csv daily/export-20240103.csv.gz \
  daily/export-20240103.csv.bak daily/export-20240104.csv daily/export-20240104.csv.gz daily/export-20240401.csv \
  daily/export-20240402.csv.gz daily/.upload-77.csv shop/export-20240104.csv shop/Sales shop/exportcsv \
  'shop/Sales North.csv' 'shop/Sales South.csv' 'monthly figures/March 1.csv' 'audit 2024/figures.csv' \
  'audit 2024/deep/totals.csv.gz' 'audit 2024 drafts/figures.csv' 2023.csv/part-1.csv 2023.csv/notes.txt; do
  make_file "/srv/exports/$name"
done
mkdir /srv/exports/empty.csv
make_file /srv/archive/1999.csv
make_file /srv/archive/summary.csv
make_file /srv/exports-legal/contract.csv
ln -s daily/export-20240402.csv.gz /srv/exports/latest.csv
ln -s /srv/archive /srv/exports/archive
ln -s /srv/archive/summary.csv /srv/exports/shop/summary.csv
chown -Rh exporter:exporter /srv/exports
chmod 750 /srv/exports
