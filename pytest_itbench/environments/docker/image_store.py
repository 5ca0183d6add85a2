"""Images by the hash of their content: pulled where a registry answers, built otherwise, each of them once."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound
from filelock import FileLock

from pytest_itbench.domain.scenario import Host
from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.errors import ImageTrouble

DEBIAN = "debian:trixie-slim"
DEBIAN_BUILT = "itbench/base:trixie"
PROBE_SOURCE = "/opt/itbench/probe"
IMAGES = files("pytest_itbench.environments.docker") / "images"

Context = Mapping[str, bytes]


class ImageStore:
    """Finds or makes images; safe to use from many processes, which wait for each other's builds.

    Methods raise ImageTrouble when an image can be neither had nor made, EngineTrouble when the engine fails.
    """

    def __init__(self, engine: Engine, cache_directory: Path) -> None:
        self._engine, self._locks = engine, cache_directory / "locks"
        self._host_images: dict[Host, str] = {}
        self._control: str | None = None

    def control_image(self) -> str:
        """The image of the machine from which candidates are run."""
        if self._control is None:
            context = {**read_context(IMAGES / "control"), "ca.pem": b""}
            self._control = self._build("control", context, {"BASE": self._debian()}, {"ca.pem": _own_certificates()})
        return self._control

    def build_on_debian(self, name: str, context: Context) -> str:
        """An image whose Dockerfile takes its base from the argument BASE."""
        return self.build_on(name, context, self._debian())

    def build_on(self, name: str, context: Context, base: str) -> str:
        """The same on another base."""
        return self._build(name, context, {"BASE": base})

    def probe_volume(self) -> str:
        """The volume that holds the validators' own tools."""
        image = self.control_image()
        name = "itbench-probe-" + image.rpartition(":")[2]
        with self.locked(name), self._engine.errors("making the validators' volume"):
            try:
                self._engine.client.volumes.get(name)
            except NotFound:
                # A container that mounts a new volume makes it and fills it from the image; Podman's when it starts.
                volumes = {name: {"bind": PROBE_SOURCE, "mode": "rw"}}
                self._engine.run_aside(image, ["true"], volumes=volumes, network_mode="none")
        return name

    def host_image(self, host: Host) -> str:
        """The image of a scenario's host: its base, made manageable, with its packages and files."""
        if host not in self._host_images:
            base = self._debian() if host.image == "debian" else self._foreign_base(host)
            shared = {"install.sh": (IMAGES / "install.sh").read_bytes()}
            managed = self._build("host", {**read_context(IMAGES / "host"), **shared}, {"BASE": base})
            layer = _scenario_layer(managed, host)
            self._host_images[host] = self._build("scenario", {**layer, **shared}, {}) if layer else managed
        return self._host_images[host]

    def _foreign_base(self, host: Host) -> str:
        if host.dockerfile:
            directory = host.dockerfile.parent
            context = {
                str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()
            }
            return self._build("custom", context, {}, dockerfile=host.dockerfile.name)
        if not self.is_here(host.image):
            self._pull(host.image)
        return host.image

    def _debian(self) -> str:
        if self.is_here(DEBIAN):
            return DEBIAN
        with self.locked("debian"):
            if self.is_here(DEBIAN_BUILT):
                return DEBIAN_BUILT
            try:
                self._pull(DEBIAN)
            except ImageTrouble as trouble:
                _bootstrap_debian(self._engine, trouble)
                return DEBIAN_BUILT
            return DEBIAN

    def is_here(self, reference: str) -> bool:
        """Whether the engine has an image."""
        with self._engine.errors(f"looking for image {reference}"):
            try:
                self._engine.client.images.get(reference)
            except ImageNotFound:
                return False
            return True

    def _pull(self, reference: str) -> None:
        try:
            self._engine.client.images.pull(reference)
        except APIError as error:
            message = f"image {reference} is not here and cannot be pulled: {error.explanation}"
            raise ImageTrouble(message, hint="check the name, the registry and the engine's login") from error

    def _build(
        self,
        kind: str,
        context: Context,
        arguments: dict[str, str],
        uncounted: Context | None = None,
        dockerfile: str = "Dockerfile",
    ) -> str:
        """Build unless an image of this content exists; `uncounted` files are not part of its identity."""
        tag = f"itbench/{kind}:{_hash_content(context, self._pin(arguments))}"
        if not self.is_here(tag):
            with self.locked(tag):
                if not self.is_here(tag):
                    _run_build(self._engine, tag, {**context, **(uncounted or {})}, arguments, dockerfile)
        return tag

    def _pin(self, arguments: dict[str, str]) -> dict[str, str]:
        """The arguments with a base image's identity in place of its name."""
        base = arguments.get("BASE")
        with self._engine.errors(f"looking for image {base}"):
            return {**arguments, "BASE": str(self._engine.client.images.get(base).id)} if base else arguments

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """A block that one process at a time enters for an engine."""
        name = f"{self._engine.identity} {name}"
        self._locks.mkdir(parents=True, exist_ok=True)
        with FileLock(self._locks / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock"):
            yield


def read_context(directory: Traversable) -> Context:
    """All files of a directory and below, by their path from there."""
    found = {}
    for entry in directory.iterdir():
        if entry.is_file():
            found[entry.name] = entry.read_bytes()
        elif entry.is_dir() and entry.name != "__pycache__":
            found |= {f"{entry.name}/{path}": content for path, content in read_context(entry).items()}
    return found


def _hash_content(context: Context, arguments: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode())
    for name, content in sorted(context.items()):
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _scenario_layer(base: str, host: Host) -> Context:
    """The build context that adds a host's own packages, files and environment; empty when it has none."""
    if not (host.packages or host.files or host.environment):
        return {}
    context, lines = {}, [f"FROM {base}"]
    if host.packages:
        packages = " ".join(shlex.quote(name) for name in host.packages)
        lines += ["COPY install.sh /tmp/itbench/", f"RUN sh /tmp/itbench/install.sh {packages} && rm -rf /tmp/itbench"]
    if host.environment:
        text = "".join(f'{name}="{value}"\n' for name, value in host.environment)
        context["environment"] = text.encode()
        lines += ["COPY environment /tmp/environment"]
        lines += ["RUN cat /tmp/environment >>/etc/environment && rm /tmp/environment"]
    for index, file in enumerate(host.files):
        name, target = f"files/{index}", shlex.quote(file.destination)
        context[name] = file.source.read_bytes()
        lines += [f"COPY {json.dumps([name, file.destination])}"]
        lines += [f"RUN chown {shlex.quote(f'{file.owner}:{file.group}')} {target} && chmod {file.mode:04o} {target}"]
    return {**context, "Dockerfile": "\n".join(lines).encode()}


def _run_build(engine: Engine, tag: str, context: Context, arguments: dict[str, str], dockerfile: str) -> None:
    log: list[str] = []
    with engine.errors(f"building image {tag}"):
        progress = engine.api.build(
            fileobj=_pack(context),
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            buildargs=arguments,
            labels={LABEL: "image"},
            rm=True,
            forcerm=True,
            decode=True,
        )
        for line in progress:
            log += _log_lines(line)
            if "error" in line:
                tail = "\n".join(log[-15:])
                raise ImageTrouble(f"building image {tag} failed: {line['error']}\n{tail}")


def _log_lines(line: dict[str, Any]) -> list[str]:
    return [text for text in str(line.get("stream", "")).splitlines() if text.strip()]


def _pack(context: Context) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in sorted(context.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755 if content.startswith(b"#!") else 0o644
            archive.addfile(info, io.BytesIO(content))
    packed.seek(0)
    return packed


def _bootstrap_debian(engine: Engine, trouble: ImageTrouble) -> None:
    """Make the base image from Debian's own packages, where no registry can be reached."""
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        hint = "make a registry reachable, or run once as root with debootstrap installed: pytest-itbench prepare"
        raise ImageTrouble(trouble.message, hint=hint) from trouble
    with tempfile.TemporaryDirectory(prefix="itbench-") as place:
        root, packed = Path(place, "root"), Path(place, "root.tar")
        for command in (
            ["debootstrap", "--variant=minbase", "trixie", str(root)],
            ["tar", "-C", str(root), "-cf", str(packed), "."],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # fixed arguments
            if done.returncode:
                tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
                raise ImageTrouble(f"{command[0]} failed:\n{tail}", hint="can Debian's package mirror be reached?")
        repository, _, tag = DEBIAN_BUILT.partition(":")
        with engine.errors("importing the Debian base image"):
            engine.api.import_image_from_file(str(packed), repository=repository, tag=tag)


def _own_certificates() -> bytes:
    """This machine's trusted certificates, for the one build step that downloads over TLS."""
    names = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    places = [os.environ.get(name, "") for name in names] + ["/etc/ssl/certs/ca-certificates.crt"]
    for place in filter(None, places):
        if Path(place).is_file():
            return Path(place).read_bytes()
    return b""
