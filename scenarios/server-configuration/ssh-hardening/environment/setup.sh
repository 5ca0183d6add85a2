#!/bin/sh
set -eu
groupadd engineers
groupadd partners
useradd --no-create-home --groups engineers ellen
useradd --no-create-home --groups partners paula
useradd --no-create-home tom
