#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
password=$(kubectl get secret database-credentials --output jsonpath='{.data.password}' | base64 --decode)
kubectl exec deployment/database -- psql --command="ALTER ROLE shop PASSWORD '$password'"
kubectl rollout restart deployment catalog orders shipping stock
for name in catalog orders shipping stock; do kubectl rollout status deployment "$name" --timeout=60s; done
