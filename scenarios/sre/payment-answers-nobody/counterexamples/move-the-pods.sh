#!/bin/bash
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
