"""Images on their way to a cluster's nodes: built by this machine's engine, then taken to where the nodes find them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from docker.errors import APIError, DockerException

from pytest_itbench.domain.scenario import Stack
from pytest_itbench.environments.docker.engine import Engine, Member
from pytest_itbench.environments.docker.image_store import ImageStore, read_context
from pytest_itbench.errors import ImageTrouble

IMAGE = files("pytest_itbench.environments.kubernetes") / "image"
CLOSER = files("pytest_itbench.environments.kubernetes") / "pods_image"
INSTALL = files("pytest_itbench.environments.docker") / "images" / "install.sh"

ARCHIVE = "/itbench-image.tar"
MISSING = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull")
"""How a pod says that its node has no image and gets none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How images get to a cluster's nodes.

    Attributes:
        way: what tells it from other deliveries to the same cluster; empty when nothing is taken anywhere.
        deliver: takes an image to the nodes; gives the name by which they know it.
    """

    way: str
    deliver: Callable[[Engine, str], str]


class ClusterImages:
    """The images of one cluster."""

    def __init__(self, cache: Path, cluster: str, delivery: Delivery) -> None:
        """`cluster` names the cluster for good, so that what it was given once is not given again."""
        self._engine = Engine()
        self._store = ImageStore(self._engine, cache)
        # What went to the nodes one way is not there in another: a registry has nothing of what was loaded by hand.
        key = hashlib.sha256(f"{cluster}\n{delivery.way}".encode()).hexdigest()[:16]
        self._delivery, self._stamps = delivery, cache / "delivered" / key

    def control_image(self) -> str:
        """From where candidates are run, and what guards their pods."""
        context = {**read_context(IMAGE), "install.sh": INSTALL.read_bytes()}
        return self.take(self._store.build_on_debian("cluster", context))

    def machine_image(self) -> str:
        """From where playbooks are run, as on a container engine."""
        return self.take(self._store.control_image())

    def closer_image(self) -> str:
        """What begins the pods of container scenarios; it brings the validators' tools."""
        context = {**read_context(CLOSER), "install.sh": INSTALL.read_bytes()}
        return self.take(self._store.build_on("closer", context, self._store.control_image()))

    def stack_images(self, stack: Stack | None) -> dict[str, str]:
        """The images of a stack, by the name that its manifests use."""
        return {
            name: self.take(self._store.build_on_debian(name, read_context(directory)))
            for name, directory in (stack.images if stack else ())
        }

    def take(self, image: str) -> str:
        """Take an image of this machine's engine to the nodes, once; gives the name by which they know it."""
        if not self._delivery.way:  # nothing was done that would have to be remembered
            return self._delivery.deliver(self._engine, image)
        stamp = self._stamps / image.replace("/", "_")
        with self._store.locked(f"deliver {stamp}"):
            # Read each time: another process may have learned that a node lacks the image.
            name = _read(stamp)
            if not name:
                name = self._delivery.deliver(self._engine, image)
                stamp.parent.mkdir(parents=True, exist_ok=True)
                stamp.write_text(name, encoding="utf-8")
            return name

    def forget_missing(self, told: str) -> bool:
        """Have those images delivered again that a pod's node lacks; gives whether there are such.

        Nodes remove images when their disks run full, and a cluster gets new nodes.

        Args:
            told: why the pod does not start, in the cluster's words.
        """
        if not any(word in told for word in MISSING):
            return False
        lacking = [stamp for stamp in self._stamps.glob("*") if _read(stamp) in told]
        for stamp in lacking:
            stamp.unlink(missing_ok=True)
        return bool(lacking)


def _read(stamp: Path) -> str:
    """The name under which an image was delivered; empty when it was not."""
    with suppress(FileNotFoundError):
        return stamp.read_text(encoding="utf-8")
    return ""


LEAVE_THERE = Delivery(way="", deliver=lambda _, image: image)
"""For nodes that use the images of this machine's engine."""


def push_to(registry: str) -> Delivery:
    """By way of a registry that this machine may write to and the nodes may read."""
    registry = registry.rstrip("/")

    def deliver(engine: Engine, image: str) -> str:
        target = f"{registry}/{image}"
        repository, _, tag = target.rpartition(":")
        try:
            engine.client.images.get(image).tag(repository, tag)
            for line in engine.api.push(repository, tag=tag, stream=True, decode=True):
                if "error" in line:
                    raise ImageTrouble(f"image {target} cannot be pushed: {line['error']}", hint="docker login?")
        except (APIError, DockerException) as error:
            raise ImageTrouble(f"image {target} cannot be pushed: {error}", hint="docker login?") from error
        return target

    return Delivery(way=f"registry {registry}", deliver=deliver)


def load_into_kind(name: str) -> Delivery:
    """By the tool ``kind``."""

    def deliver(engine: Engine, image: str) -> str:
        del engine
        tool = shutil.which("kind")
        if tool is None:
            raise ImageTrouble(f"kind is not on the PATH, and cluster {name} gets its images from it")
        command = [tool, "load", "docker-image", image, "--name", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageTrouble(f"kind load docker-image {image} failed: {done.stderr.strip()[-500:]}")
        return image

    return Delivery(way=f"kind {name}", deliver=deliver)


def load_into_k3s(container: str) -> Delivery:
    """Into the containerd of a k3s that runs in a container of this machine's engine."""

    def deliver(engine: Engine, image: str) -> str:
        with engine.errors(f"taking image {image} to k3s"):
            node = engine.client.containers.get(container)
            packed = b"".join(engine.client.images.get(image).save(named=True))
            engine.put_files(container, [Member(path=ARCHIVE, content=packed)])
            done = node.exec_run(["ctr", "--namespace", "k8s.io", "images", "import", ARCHIVE])
            node.exec_run(["rm", "-f", ARCHIVE])
        if done.exit_code:
            raise ImageTrouble(f"k3s does not take image {image}: {str(done.output)[-500:]}")
        return f"docker.io/{image}"

    return Delivery(way=f"k3s {container}", deliver=deliver)
