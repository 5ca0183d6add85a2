#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Databases, roles and the rules that the trial left behind.
set -eu
cd /
su postgres -c 'psql -q -v ON_ERROR_STOP=1' <<'SQL'
CREATE ROLE analysts NOLOGIN;
CREATE ROLE shop_app LOGIN PASSWORD 'basket-4711';
CREATE ROLE keeper LOGIN PASSWORD 'tape-4711';
CREATE ROLE nora LOGIN PASSWORD 'visit-4711';
CREATE ROLE ada LOGIN PASSWORD 'chart-4711' IN ROLE analysts;
CREATE ROLE bo LOGIN PASSWORD 'sheet-4711' IN ROLE analysts;
CREATE ROLE intern LOGIN PASSWORD 'coffee-4711' IN ROLE analysts;
ALTER ROLE postgres PASSWORD 'elephant-4711';
CREATE DATABASE shop;
CREATE DATABASE reports;
SQL
cat /root/pg_hba.conf >/etc/postgresql/17/main/pg_hba.conf
rm /root/pg_hba.conf
su postgres -c "psql -qAtc 'SELECT pg_reload_conf()'" >/dev/null
