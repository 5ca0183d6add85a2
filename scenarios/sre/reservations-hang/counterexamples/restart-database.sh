#!/bin/bash
kubectl rollout restart deployment database
kubectl rollout status deployment database --timeout=60s
kubectl delete deployment stocktake
