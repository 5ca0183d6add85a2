#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
kubectl apply --filename - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: stock, labels: {app: stock}}
spec:
  selector: {app: stock}
  ports: [{name: http, port: 8080, targetPort: http}]
EOF
kubectl patch deployment cart --type=json \
  --patch='[{"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"}]'
kubectl rollout status deployment cart --timeout=60s
