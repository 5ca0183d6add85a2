#!/bin/bash
kubectl rollout restart deployment queue worker
kubectl rollout status deployment queue --timeout=40s
kubectl rollout status deployment worker --timeout=40s
