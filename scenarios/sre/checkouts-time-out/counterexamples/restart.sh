#!/bin/bash
kubectl rollout restart deployment cart checkout
kubectl rollout status deployment cart --timeout=40s
kubectl rollout status deployment checkout --timeout=40s
