#!/bin/bash
kubectl rollout undo deployment shipping
kubectl rollout status deployment shipping --timeout=60s
kubectl rollout restart deployment worker
