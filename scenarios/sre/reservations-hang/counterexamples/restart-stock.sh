#!/bin/bash
kubectl rollout restart deployment stock checkout
kubectl rollout status deployment stock --timeout=40s
kubectl rollout status deployment checkout --timeout=40s
