#!/bin/bash
kubectl scale deployment --all --replicas=1
kubectl scale deployment web --replicas=2
kubectl rollout status deployment stock --timeout=60s
