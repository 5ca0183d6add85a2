#!/bin/bash
set -eu
kubectl apply --filename - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: stock, labels: {app: stock}}
spec:
  selector: {app: stock}
  ports: [{name: http, port: 8080, targetPort: http}]
EOF
kubectl patch deployment cart --patch '{"spec": {"template": {"spec": {"containers": [
  {"name": "cart", "readinessProbe": {"httpGet": {"path": "/ready"}}}]}}}}'
kubectl rollout status deployment cart --timeout=90s
