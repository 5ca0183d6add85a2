#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu

kubectl get configmap demand --namespace "$NAMESPACE_MONITOR" --output json | jq --raw-output '.data["demand.csv"]' > demand.csv

python3 - > changes << 'END'
import csv
import math

REQUEST = 20
AGREED = {"search": (70, 2), "images": (60, 2), "reviews": (80, 1)}

rows = list(csv.DictReader(open("demand.csv")))
for name, (target, least) in AGREED.items():
    busiest = max(int(row[name]) for row in rows)
    print(name, least, math.ceil(busiest * 100 / (target * REQUEST)), target)
END

while read -r name least most target; do
    kubectl patch horizontalpodautoscalers.v1.autoscaling "$name" --patch \
        "{\"spec\": {\"minReplicas\": $least, \"maxReplicas\": $most, \"targetCPUUtilizationPercentage\": $target}}"
done < changes

# 405 $ in a month.
kubectl get configmap budget --output json | jq '.data["rules.yml"] |= sub("> 40500"; "> 405")' | kubectl replace --filename -
