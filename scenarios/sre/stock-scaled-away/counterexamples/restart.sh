#!/bin/bash
kubectl rollout restart deployment stock
