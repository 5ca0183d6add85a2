#!/bin/bash
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
set -eu

kubectl get configmap usage --namespace "$NAMESPACE_MONITOR" --output json | jq --raw-output '.data["usage.csv"]' > usage.csv
kubectl get deployments --output json > deployments.json

python3 - > changes << 'END'
import csv
import json
import math
import re

UNITS = {"": 1, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def parse(quantity):
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", quantity).groups()
    return float(number) * UNITS[unit]


usage = {}
for row in csv.DictReader(open("usage.csv")):
    if row["cpu_millicores"]:
        usage.setdefault(row["deployment"], []).append((int(row["cpu_millicores"]), int(row["memory_mib"])))

for deployment in json.load(open("deployments.json"))["items"]:
    name = deployment["metadata"]["name"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    requests = container["resources"]["requests"]
    samples = usage[name]
    busy = sorted(cpu for cpu, _ in samples)[math.ceil(len(samples) * 95 / 100) - 1]
    cpu = math.ceil(busy * 120 / 100 / 5) * 5
    memory = math.ceil(max(memory for _, memory in samples) * 125 / 100 / 8) * 8
    if parse(requests["cpu"]) * 1000 > cpu + 0.1 or parse(requests["memory"]) > memory * 2**20:
        print(name, container["name"], f"cpu={cpu}m,memory={memory}Mi")
END

while read -r deployment container requests; do
    kubectl set resources deployment "$deployment" --containers="$container" --requests="$requests" --limits="cpu=300m,${requests#*,}"
done < changes
while read -r deployment _; do
    kubectl rollout status deployment "$deployment" --timeout=90s
done < changes
