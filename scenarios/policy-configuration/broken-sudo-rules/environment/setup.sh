#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
for group in helpdesk webteam oncall; do groupadd "$group"; done
useradd --create-home keeper
useradd --create-home batch
useradd --create-home metrics
useradd --create-home tom
useradd --create-home --groups helpdesk hanna
useradd --create-home --groups helpdesk hugo
useradd --create-home --groups webteam wanda
useradd --create-home --groups oncall otto
cd /etc
for file in sudoers sudoers.d/README sudoers.d/ops sudoers.d/50-metrics; do
  stat -c '%U %G %a %n' "$file"
  sha256sum "$file"
done >/root/sudo-rules.before
