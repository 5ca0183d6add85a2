#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
groupadd engineers
groupadd partners
useradd --no-create-home --groups engineers ellen
useradd --no-create-home --groups partners paula
useradd --no-create-home tom
