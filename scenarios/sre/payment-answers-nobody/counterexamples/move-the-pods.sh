#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl patch deployment payment --patch '
spec:
  template:
    spec:
      containers:
        - name: payment
          env: [{name: PORT, value: "9090"}]
          ports: [{$patch: replace}, {name: http, containerPort: 9090}]
'
kubectl rollout status deployment payment --timeout=60s
