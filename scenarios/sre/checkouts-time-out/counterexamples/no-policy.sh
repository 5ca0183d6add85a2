#!/bin/bash
kubectl delete networkpolicy cart-isolation
kubectl rollout undo deployment checkout
kubectl rollout status deployment checkout --timeout=60s
