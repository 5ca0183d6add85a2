#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu
kubectl patch deployment orders --patch '
spec: {template: {spec: {initContainers: [{name: migrate, command: ["true"]}]}}}
'
kubectl rollout status deployment orders --timeout=70s
