#!/bin/bash
kubectl exec deployment/database -- psql --command="
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
