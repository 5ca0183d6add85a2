#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
address=$(kubectl get pods --selector=app=stock --output=jsonpath='{.items[0].status.podIP}')
kubectl set env deployment checkout "STOCK_URL=http://$address:8080"
kubectl rollout undo deployment cart
kubectl rollout status deployment cart --timeout=60s
