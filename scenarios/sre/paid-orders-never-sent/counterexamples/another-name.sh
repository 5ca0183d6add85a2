#!/bin/bash
set -eu
kubectl apply --filename=- <<'END'
apiVersion: v1
kind: Service
metadata: {name: job-queue, labels: {app: queue}}
spec:
  selector: {app: queue}
  ports: [{name: redis, port: 6379, targetPort: redis}]
END
kubectl rollout status deployment worker --timeout=70s
