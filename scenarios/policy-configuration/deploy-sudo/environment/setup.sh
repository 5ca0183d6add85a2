#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
groupadd deployers
useradd --create-home --groups deployers dana
useradd --create-home --groups deployers dirk
useradd --create-home tom
useradd --create-home shop
useradd --create-home monitor
