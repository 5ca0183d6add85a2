"""Say no to pods that could leave their containers, to services that could take others' traffic, and to open policies.

The API server asks for each of them in attempts' namespaces.
"""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEASE = "pytest-itbench/lease"
OURS = "attempt"
CANDIDATES = "system:serviceaccount:itbench-"
PROFILES = ("container.apparmor.security.beta.kubernetes.io/", "seccomp.security.alpha.kubernetes.io/")
SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
ONE = threading.Lock()
VOLUMES = {"configMap", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "name"}
CAPABILITIES = {
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
}


def find_problem(spec):
    """What of a pod is refused; empty when nothing is. The baseline of Kubernetes' Pod Security Standards."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            return f"{name} is not allowed"
    for volume in spec.get("volumes") or []:
        odd = sorted(kind for kind, value in volume.items() if value is not None and kind not in VOLUMES)
        if odd:
            return f"volumes of kind {odd[0]} are not allowed"
    context = spec.get("securityContext") or {}
    if context.get("sysctls"):
        return "sysctls are not allowed"
    if problem := find_profile_problem(context):
        return problem
    if spec.get("priorityClassName", "").startswith("system-"):
        return "system priorities are not allowed"
    groups = ("containers", "initContainers", "ephemeralContainers")
    problems = (find_container_problem(each) for group in groups for each in spec.get(group) or [])
    return next(filter(None, problems), "")


def find_profile_problem(context):
    """The same of what a pod or a container says of its profiles."""
    for name in ("seccompProfile", "appArmorProfile"):
        if (context.get(name) or {}).get("type") == "Unconfined":
            return f"{name} Unconfined is not allowed"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        return "hostProcess is not allowed"
    given = context.get("seLinuxOptions") or {}
    if given.get("user") or given.get("role") or given.get("type", "") not in SELINUX:
        return "seLinuxOptions are not allowed"
    return ""


def find_annotation_problem(annotations):
    """The same of a pod's annotations, by which older clusters take profiles."""
    named = (name for name, value in annotations.items() if value == "unconfined")
    return next((f"annotation {name} is not allowed" for name in named if name.startswith(PROFILES)), "")


def find_policy_problem(namespace, spec):
    """The same of a network policy: pods send within their own lease, and ask for names."""
    lease = "-".join(namespace.split("-")[:2])
    for rule in spec.get("egress") or []:
        ports = [port.get("port") for port in rule.get("ports") or []]
        if not rule.get("to") and (not ports or set(ports) != {53}):
            return "egress to everybody is not allowed"
        for peer in rule.get("to") or []:
            if peer.get("ipBlock"):
                return "egress to addresses is not allowed"
            selector = peer.get("namespaceSelector")
            if selector is not None and not is_within(lease, selector.get("matchLabels") or {}):
                return "egress to other namespaces is not allowed"
    return ""


def is_within(lease, labels):
    """Whether labels choose namespaces of the lease alone."""
    return labels.get(LEASE) == lease or labels.get("kubernetes.io/metadata.name", "").startswith(f"{lease}-")


def find_service_problem(spec):
    """The same of a service: it must not take what is sent to addresses that are not its own."""
    if spec.get("externalIPs"):
        return "externalIPs are not allowed"
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        return f"services of type {spec['type']} are not allowed"
    return ""


def find_container_problem(container):
    """The same of a container."""
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        return "privileged containers are not allowed"
    added = set((context.get("capabilities") or {}).get("add") or [])
    if added - CAPABILITIES:
        return f"capability {sorted(added - CAPABILITIES)[0]} is not allowed"
    if problem := find_profile_problem(context):
        return problem
    probes = [container.get(name) or {} for name in ("livenessProbe", "readinessProbe", "startupProbe")]
    hooks = [each or {} for each in (container.get("lifecycle") or {}).values()]
    if any((each.get(way) or {}).get("host") for each in (*probes, *hooks) for way in ("httpGet", "tcpSocket")):
        return "probes of other hosts are not allowed"
    if context.get("procMount") not in (None, "Default"):
        return "procMount is not allowed"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        return "hostPort is not allowed"
    return ""


def judge(request):
    """Why a request is refused; empty when it is not."""
    made, kind = request.get("object") or {}, request["kind"]["kind"]
    spec = made.get("spec") or {}
    if kind == "Service":
        return find_service_problem(spec)
    if kind == "NetworkPolicy":
        if not request["userInfo"]["username"].startswith(CANDIDATES):  # a scenario may have any
            return ""
        if request.get("name") == OURS and request["operation"] != "CREATE":
            return f"network policy {OURS} holds the attempt and stays as it is"
        return find_policy_problem(request["namespace"], spec)
    return find_problem(spec) or find_annotation_problem((made.get("metadata") or {}).get("annotations") or {})


class Guard(BaseHTTPRequestHandler):
    """Answers reviews of admission."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self):
        """Readiness."""
        self.answer({"ready": True})

    def do_POST(self):
        """One review."""
        with ONE:  # of the largest at a time, however many come at once
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = review["request"]
            problem = judge(request)
        response = {"uid": request["uid"], "allowed": not problem}
        if problem:
            response["status"] = {"code": 403, "message": f"pytest-itbench: {problem}"}
        self.answer({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response})

    def answer(self, content):
        """Send JSON."""
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Every pod is reviewed: no log."""


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
    server = ThreadingHTTPServer(("", 8443), Guard)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()
