#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Between two releases: what the first one left is written down, business goes on, and two migrations arrive.
set -eu
psql() {
  runuser -u depot -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d depot
}
mkdir -p /var/lib/witness
psql >/var/lib/witness/shelves <<'SQL'
SELECT label, capacity FROM shelf ORDER BY label;
SQL
psql >/var/lib/witness/record <<'SQL'
SET TIME ZONE 'UTC';
SELECT number, file, applied_at FROM applied_migrations ORDER BY number;
SQL
psql <<'SQL'
INSERT INTO article (name, price) VALUES ('washer', 15);
INSERT INTO shelf (label, capacity) VALUES ('C', 8);
SQL
cd /srv/depot/migrations
# Somebody's work took longer: its number is below those that are applied already.
cat >8-shelf-for-returns.sql <<'SQL'
INSERT INTO shelf (label, capacity) VALUES ('returns', 40);
SQL
cat >12-fire-rules.sql <<'SQL'
-- Two places of each shelf stay empty.
UPDATE shelf SET capacity = capacity - 2;
SQL
# A comment in a file that is applied already changes nothing in the database.
sed -i '1i -- Prices were whole euros before.' 9-prices-in-cents.sql
