#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
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
