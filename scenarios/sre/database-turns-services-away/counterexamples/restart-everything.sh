#!/bin/bash
kubectl rollout restart deployment database
kubectl rollout status deployment database --timeout=60s
kubectl rollout restart deployment catalog orders shipping stock
for name in catalog orders shipping stock; do kubectl rollout status deployment "$name" --timeout=60s; done
