"""Who keeps pods of attempts inside their containers: a webhook of the run's own, in a namespace of its own.

Clusters differ in what they bring for that (PodSecurityPolicy, Pod Security, nothing); a webhook works on all of them.
"""

from __future__ import annotations

import base64
import secrets
import time
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.lease import (
    ATTEMPT,
    LABEL,
    LEASE,
    OWNER,
    RUN,
    await_account,
    make_namespace,
    release_lease,
)
from pytest_itbench.errors import EngineTrouble

NAME = "guard"
PORT = 8443
ANYWHERE = {
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists"} for name in ("unschedulable", "memory-pressure")
    ]
    + [{"key": f"node-role.kubernetes.io/{name}", "operator": "Exists"} for name in ("control-plane", "master")]
    + [{"operator": "Exists", "effect": "NoExecute"}],
}
"""Where our own pods run: on nodes that take no other pods, too, for a candidate may be there to change that."""
READY_WITHIN = 60.0


def start_guard(api: Api, image: str, owner: str, run: str) -> str:
    """Start the guard of a run's namespaces and wait until it says no; gives its namespace.

    Raises:
        EngineTrouble: it does not start.
        Refused: the user of the kubeconfig may not make webhooks.
    """
    namespace = f"itbench-{secrets.token_hex(4)}-{NAME}"
    labels = {LABEL: NAME, LEASE: namespace, RUN: run}
    metadata = {"name": namespace, "labels": labels, "annotations": {OWNER: owner}}
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    await_account(api, namespace)
    authority, certificate, key = make_certificate(f"{NAME}.{namespace}.svc")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NAME},
        "stringData": {"tls.crt": certificate, "tls.key": key},
    }
    api.create(f"/api/v1/namespaces/{namespace}/secrets", secret)
    api.create(f"/api/v1/namespaces/{namespace}/services", _service())
    api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", _deployment(image))
    _await_ready(api, namespace)
    api.create(
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        _webhook(namespace, run, authority),
    )
    _await_answer(api, namespace, owner, run)
    return namespace


def _await_answer(api: Api, guard: str, owner: str, run: str) -> None:
    """Wait until the API server reaches the guard: the way through its service is made some time after its pod."""
    name = guard.replace(NAME, "try")
    make_namespace(api, guard, name, ATTEMPT, {OWNER: owner}, run)
    await_account(api, name)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "try"},
        "spec": {"hostNetwork": True, "containers": [{"name": "try", "image": "try"}]},
    }
    deadline = time.monotonic() + READY_WITHIN
    while (problem := _try_pod(api, name, pod)) and time.monotonic() < deadline:
        time.sleep(0.2)
    release_lease(api, [name], guard)
    if problem:
        raise EngineTrouble(f"the guard of attempts' pods does not answer: {problem}", cause="guard")


def _try_pod(api: Api, namespace: str, pod: Object) -> str:
    """Why the guard did not refuse a pod that it must refuse; empty when it did."""
    try:
        api.request("POST", f"/api/v1/namespaces/{namespace}/pods", body=pod, query={"dryRun": "All"})
    except (Refused, EngineTrouble) as trouble:
        return "" if "hostNetwork is not allowed" in str(trouble) else str(trouble)
    return "it let a pod pass that it must refuse"


def _service() -> Object:
    spec = {"selector": {"app": NAME}, "ports": [{"port": 443, "targetPort": PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": spec}


def _deployment(image: str) -> Object:
    container = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "/opt/itbench/guard.py"],
        "readinessProbe": {
            "httpGet": {"path": "/", "port": PORT, "scheme": "HTTPS"},
            "periodSeconds": 1,
            "failureThreshold": 60,
        },
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}},
        "securityContext": {"capabilities": {"drop": ["ALL"]}, "runAsUser": 1000, "allowPrivilegeEscalation": False},
        "volumeMounts": [{"name": "tls", "mountPath": "/tls", "readOnly": True}],
    }
    pod = {
        "containers": [container],
        "volumes": [{"name": "tls", "secret": {"secretName": NAME}}],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        **ANYWHERE,
    }
    labels = {"app": NAME}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, "spec": spec}


def _webhook(namespace: str, run: str, authority: str) -> Object:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": namespace, "labels": {LEASE: namespace}},
        "webhooks": [
            {
                "name": f"pods.{namespace}.itbench",
                "clientConfig": {
                    "service": {"name": NAME, "namespace": namespace},
                    "caBundle": base64.b64encode(authority.encode()).decode(),
                },
                "namespaceSelector": {"matchLabels": {LABEL: ATTEMPT, RUN: run}},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["pods", "pods/ephemeralcontainers", "services"],
                    },
                    {
                        "apiGroups": ["networking.k8s.io"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE", "DELETE"],
                        "resources": ["networkpolicies"],
                    },
                ],
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 10,
            }
        ],
    }


def _await_ready(api: Api, namespace: str) -> None:
    deadline = time.monotonic() + READY_WITHIN
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{NAME}"
    while not api.get(path).get("status", {}).get("readyReplicas"):
        if time.monotonic() > deadline:
            pods = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
            raise EngineTrouble(
                f"the guard of attempts' pods is not ready within {READY_WITHIN:g} s: {describe_waiting(pods)}",
                hint=f"kubectl --namespace {namespace} describe pods",
                cause="guard",
            )
        time.sleep(0.2)


def stop_guard(api: Api, namespace: str) -> None:
    """Remove the webhook; its namespace is removed like any other."""
    try:
        api.delete(f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{namespace}")
    except Refused as refused:
        raise EngineTrouble(f"webhook {namespace} cannot be removed: {refused}", cause="guard") from refused


def describe_waiting(pods: list[Object]) -> str:
    """Why pods do not run, in a line."""
    found = []
    for pod in pods:
        status = pod.get("status", {})
        states = (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ()))
        waits = [state["state"]["waiting"] for state in states if "waiting" in state.get("state", {})]
        unmet = [each for each in status.get("conditions", ()) if each["status"] == "False" and each.get("message")]
        texts = [f"{wait.get('reason')} {wait.get('message', '')}".strip() for wait in waits]
        texts += [each["message"] for each in unmet if not waits]
        if texts:
            found.append(f"{pod['metadata']['name']}: {texts[0][:300]}")
    return "; ".join(found[:5]) or "no pod says why"


def make_certificate(name: str) -> tuple[str, str, str]:
    """An authority of its own, a certificate for `name` by it, and that one's key, all in PEM; valid for a week."""
    now = datetime.now(UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pytest-itbench")])

    def build(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=7))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    root = build(issuer, authority_key.public_key(), authority=True)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    leaf = build(subject, key.public_key(), authority=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    return root.public_bytes(pem).decode(), leaf.public_bytes(pem).decode(), private.decode()
