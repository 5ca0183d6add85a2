#!/bin/bash
address=$(kubectl get pods --selector=app=stock --output=jsonpath='{.items[0].status.podIP}')
kubectl set env deployment checkout "STOCK_URL=http://$address:8080"
kubectl rollout undo deployment cart
kubectl rollout status deployment cart --timeout=60s
