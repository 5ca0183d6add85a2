#!/bin/bash
set -eu
kubectl exec deployment/database -- psql --command="
  SELECT pid, application_name, client_addr, state, now() - xact_start AS since, left(query, 60) AS query
  FROM pg_stat_activity WHERE pid IN (SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity)"
kubectl delete deployment stocktake --ignore-not-found --cascade=foreground --timeout=60s
