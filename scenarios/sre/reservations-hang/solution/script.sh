#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl exec deployment/database -- psql --command="
  SELECT pid, application_name, client_addr, state, now() - xact_start AS since, left(query, 60) AS query
  FROM pg_stat_activity WHERE pid IN (SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity)"
kubectl delete deployment stocktake --ignore-not-found --cascade=foreground --timeout=60s
