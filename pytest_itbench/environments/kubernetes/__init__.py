"""Environments on a Kubernetes cluster: namespaces of an attempt's own, a stack of applications, faults in it."""
