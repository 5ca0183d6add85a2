#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The depot's database after its first three migrations, and another database beside it.
set -eu
useradd --system --user-group --home-dir /srv/depot --shell /usr/sbin/nologin depot
psql() {
  runuser -u "$1" -- psql -X -q -v ON_ERROR_STOP=1 -d "$2"
}
psql postgres postgres <<'SQL'
CREATE ROLE depot LOGIN;
CREATE DATABASE depot OWNER depot;
CREATE DATABASE ledger;
SQL
psql postgres ledger <<'SQL'
CREATE TABLE article (name text PRIMARY KEY, price integer NOT NULL);
INSERT INTO article VALUES ('bolt', 2), ('rope', 12);
SQL
cd /srv/depot/migrations
cat 1-articles.sql 2-shelves.sql 3-first-stock.sql | psql depot depot
psql depot depot <<'SQL'
CREATE TABLE applied_migrations (
    number integer PRIMARY KEY,
    file text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT now()
);
INSERT INTO applied_migrations VALUES
    (1, '1-articles.sql', '2026-01-12 09:00+00'),
    (2, '2-shelves.sql', '2026-01-12 09:00+00'),
    (3, '3-first-stock.sql', '2026-02-03 17:30+00');
SQL
touch -d '2026-03-01 10:00' ./*
