#!/bin/sh
set -eu
groupadd finance
groupadd audit
useradd --create-home --groups finance dora
useradd --create-home --groups finance emil
useradd --create-home --groups audit gina
useradd --create-home tom
mkdir -p /srv/finance/reports /srv/finance/2025
echo 'draft;not for auditors yet' >/srv/finance/reports/draft.csv
chown dora:dora /srv/finance/reports/draft.csv
chmod 600 /srv/finance/reports/draft.csv
echo 'account;amount' >/srv/finance/2025/ledger.csv
chown -R dora:finance /srv/finance/2025
chmod 750 /srv/finance/2025
chmod 640 /srv/finance/2025/ledger.csv
