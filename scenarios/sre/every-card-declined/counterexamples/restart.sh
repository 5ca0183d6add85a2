#!/bin/bash
kubectl rollout restart deployment payment checkout
kubectl rollout status deployment payment --timeout=40s
kubectl rollout status deployment checkout --timeout=40s
