#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
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
