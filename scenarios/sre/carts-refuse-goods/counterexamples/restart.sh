#!/bin/bash
kubectl rollout restart deployment cache cart
kubectl rollout status deployment cache --timeout=40s
kubectl rollout status deployment cart --timeout=40s
