#!/bin/bash
kubectl rollout restart deployment cart
kubectl rollout status deployment cart --timeout=20s
exit 0
