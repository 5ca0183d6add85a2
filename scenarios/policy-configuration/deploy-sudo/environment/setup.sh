#!/bin/sh
set -eu
groupadd deployers
useradd --create-home --groups deployers dana
useradd --create-home --groups deployers dirk
useradd --create-home tom
useradd --create-home shop
useradd --create-home monitor
