"""A cluster's API: requests as plain JSON, errors as ours, resources found by kind."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import config as kubeconfig
from kubernetes.client import ApiClient
from kubernetes.config.config_exception import ConfigException
from websocket import WebSocket

from pytest_itbench.errors import EngineTrouble
from pytest_itbench.once import once_property

JSON = "application/json"
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
PATIENCE = 30.0
"""Seconds that the cluster has for an answer."""
CONNECTIONS = 16
NOT_FOUND = 404
CONFLICT = 409
REFUSED = 400
FAILED = 500
MOVED = "extensions"
"""A group of old clusters, whose kinds are served by their later groups as well."""
CHUNK = 64 * 1024
LARGEST_ANSWER = 4 * 1024**2

Object = dict[str, Any]


class Refused(Exception):
    """The cluster understood a request and said no.

    Attributes:
        status: HTTP's.
        reason: Kubernetes' own word, as in ``NotFound``.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{message or reason} ({status})")
        self.status, self.reason = status, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of object and where it is found."""

    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def group(self) -> str:
        """Its API group; that of the core is empty."""
        return self.version.rpartition("/")[0]

    def path(self, namespace: str = "", name: str = "") -> str:
        """The address of one object, or of all of them."""
        root = f"/apis/{self.version}" if "/" in self.version else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{inside}/{self.plural}" + (f"/{name}" if name else "")


class Api:
    """One cluster, as one user.

    Methods raise Refused when the cluster says no, and EngineTrouble when it does not answer or fails.
    """

    def __init__(self, path: Path, context: str = "") -> None:
        """Nothing is read yet; `path` is that of a kubeconfig."""
        self._path, self._context = path, context
        self._discovery = threading.Lock()
        self._resources: dict[str, list[Resource]] = {}

    @once_property
    def _client(self) -> ApiClient:
        try:
            client: ApiClient = kubeconfig.new_client_from_config(  # type: ignore[no-untyped-call]  # ships no types
                config_file=str(self._path), context=self._context or None, persist_config=False
            )
        except (ConfigException, OSError, ValueError) as error:
            raise EngineTrouble(
                f"kubeconfig {self._path} cannot be used: {error}", hint="name another: --itbench-kubeconfig"
            ) from error
        return client

    @once_property
    def _pool(self) -> urllib3.PoolManager:
        given = self._client.configuration
        return urllib3.PoolManager(
            maxsize=CONNECTIONS,
            cert_reqs="CERT_REQUIRED" if given.verify_ssl else "CERT_NONE",
            ca_certs=given.ssl_ca_cert,
            cert_file=given.cert_file,
            key_file=given.key_file,
            assert_hostname=given.assert_hostname,
            server_hostname=given.tls_server_name,
        )

    def close(self) -> None:
        """Drop the connections; they are made again when they are needed."""
        if "_pool" in vars(self):
            self._pool.clear()

    @property
    def address(self) -> str:
        """Where the cluster answers, as the kubeconfig says."""
        return str(self._client.configuration.host)

    def get(self, path: str, **query: Any) -> Any:
        """What stands at an address."""
        return json.loads(self.request("GET", path, query=query))

    def find(self, path: str) -> Any:
        """The same; None when there is nothing."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def create(self, path: str, body: Object) -> Object:
        """Make an object."""
        made: Object = json.loads(self.request("POST", path, body=body))
        return made

    def patch(self, path: str, body: Object, kind: str = STRATEGIC) -> Object:
        """Change an object."""
        changed: Object = json.loads(self.request("PATCH", path, body=body, content=kind))
        return changed

    def apply(self, manifest: Object, namespace: str = "") -> Object:
        """Make an object what a manifest says: a new one, or the present one changed."""
        resource = self.resource(manifest["apiVersion"], manifest["kind"])
        try:
            return self.create(resource.path(namespace), manifest)
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
        return self.patch(resource.path(namespace, manifest["metadata"]["name"]), manifest, MERGE)

    def delete(self, path: str, body: Object | None = None, **query: Any) -> None:
        """Remove what stands at an address, if it does."""
        with suppress_missing():
            self.request("DELETE", path, body=body, query=query)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Object | list[Object] | None = None,
        content: str = JSON,
        query: Mapping[str, Any] | None = None,
        timeout: float = PATIENCE,
    ) -> str:
        """One request; gives the answer's text."""
        url = self.address + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": f"{JSON}, */*", "Content-Type": content, **self._authorization()}
        encoded = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(
                method, url, body=encoded, headers=headers, timeout=timeout, retries=_RETRIES, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise EngineTrouble(
                f"the cluster at {self.address} does not answer: {_describe_error(error)}",
                hint="is it up? kubectl get --raw /readyz",
                cause="cluster",
                retries=2,
                pause=2.0,
            ) from error
        if answer.status >= FAILED and "/proxy/" not in path:
            raise EngineTrouble(f"the cluster fails: {answer.data[:300]!r}", cause="cluster", retries=2, pause=2.0)
        if answer.status >= REFUSED:
            raise _read_refusal(answer.status, answer.data)
        return answer.data.decode(errors="replace")

    def fetch(self, path: str, timeout: float) -> tuple[int, str]:
        """The status and the text of what something behind the API server answers, with bounds for size and time.

        What a candidate made may answer: it may drip, swell, or ask to be asked again.

        Raises:
            EngineTrouble: nothing, too much, or too slowly.
        """
        deadline, content = time.monotonic() + timeout, bytearray()
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", **self._authorization()}
        try:
            answer = self._pool.request(
                "GET",
                self.address + path,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                while chunk := answer.read1(CHUNK):
                    content += chunk
                    if len(content) > LARGEST_ANSWER or time.monotonic() > deadline:
                        raise EngineTrouble(f"{path} answers without an end", cause="answer")
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise EngineTrouble(f"{path} gives no answer: {_describe_error(error)}", cause="answer") from error
        return answer.status, content.decode(errors="replace")

    def open_socket(self, path: str, query: Sequence[tuple[str, str]], protocol: str) -> WebSocket:
        """A websocket to an address; raises what its library raises."""
        given = self._client.configuration
        options = {
            "cert_reqs": ssl.CERT_REQUIRED if given.verify_ssl else ssl.CERT_NONE,
            "ca_certs": given.ssl_ca_cert,
            "certfile": given.cert_file,
            "keyfile": given.key_file,
            "check_hostname": None if given.verify_ssl and given.assert_hostname is not False else False,
            "server_hostname": given.tls_server_name,
        }
        socket = WebSocket(sslopt={name: value for name, value in options.items() if value is not None})
        url = f"{self.address.replace('http', 'ws', 1)}{path}?{urlencode(query)}"
        headers = [f"{name}: {value}" for name, value in self._authorization().items()]
        # As for requests: no proxy that is meant for other places.
        socket.connect(  # type: ignore[no-untyped-call]  # has types for some of its methods alone
            url, header=headers, subprotocols=[protocol], timeout=PATIENCE, http_no_proxy=["*"]
        )
        return socket

    def _authorization(self) -> dict[str, str]:
        settings = self._client.configuration.auth_settings()
        return {each["key"]: each["value"] for each in settings.values() if each["in"] == "header"}

    # --- resources ---------------------------------------------------------------------------------------------

    def resource(self, version: str, kind: str) -> Resource:
        """Where objects of a kind are.

        Raises:
            Refused: the cluster does not know it.
        """
        for resource in self._discover(version):
            if resource.kind == kind:
                return resource
        raise Refused(NOT_FOUND, "NotFound", f"the cluster knows no {kind} in {version}")

    def _discover(self, version: str) -> list[Resource]:
        with self._discovery:
            if version not in self._resources:
                root = f"/apis/{version}" if "/" in version else f"/api/{version}"
                found = self.get(root)["resources"]
                self._resources[version] = [
                    Resource(
                        version=version,
                        kind=each["kind"],
                        plural=each["name"],
                        namespaced=each["namespaced"],
                        verbs=frozenset(each["verbs"]),
                    )
                    for each in found
                    if "/" not in each["name"]
                ]
            return self._resources[version]

    @once_property
    def resources(self) -> tuple[Resource, ...]:
        """Every kind that can be listed, each in the version that the cluster prefers."""
        groups = self.get("/apis")["groups"]
        versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
        found: dict[tuple[str, str], Resource] = {}
        for version in versions:
            # Others may call their kinds like the cluster's own, which come first. One group's server may be away.
            with suppress(Refused, *([EngineTrouble] if "." in version else [])):
                for resource in self._discover(version):
                    if "list" in resource.verbs and resource.group != MOVED:
                        found.setdefault((resource.plural, resource.kind), resource)
        return tuple(found.values())

    @once_property
    def gives_secrets(self) -> bool:
        """Whether the cluster makes a secret for each account, as those before 1.24 do."""
        account = self.find("/api/v1/namespaces/default/serviceaccounts/default")
        return bool(account and account.get("secrets"))


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Pass over that an object is not there, or not any more."""
    try:
        yield
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise


_RETRIES = urllib3.Retry(total=2, connect=2, read=0, redirect=0, status=0, backoff_factor=0.2)


def _read_refusal(status: int, data: bytes) -> Refused:
    try:
        told = json.loads(data)
        return Refused(status, str(told.get("reason", "")), str(told.get("message", "")))
    except (ValueError, AttributeError):
        return Refused(status, "", data[:300].decode(errors="replace"))


def _describe_error(error: urllib3.exceptions.HTTPError) -> str:
    """What was met at last, without the names of the library's objects."""
    reason = getattr(error, "reason", None) or error
    return re.sub(r"^\w+\(.*?\): ", "", str(reason))
