#!/bin/bash
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
