#!/bin/bash
set -eu
kubectl scale deployment recommend shipping --replicas=0
