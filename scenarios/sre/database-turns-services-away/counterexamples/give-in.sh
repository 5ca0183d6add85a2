#!/bin/bash
password=$(kubectl get secret database-credentials --output jsonpath='{.data.password}' | base64 --decode)
kubectl exec deployment/database -- psql --command="ALTER ROLE shop PASSWORD '$password'"
kubectl rollout restart deployment catalog orders shipping stock
for name in catalog orders shipping stock; do kubectl rollout status deployment "$name" --timeout=60s; done
