#!/bin/bash
kubectl set env deployment payment FLAGS_FILE=/nowhere
kubectl rollout status deployment payment --timeout=60s
