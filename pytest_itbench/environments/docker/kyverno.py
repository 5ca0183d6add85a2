"""The Kyverno CLI in a container that has no network, no rights, and little of everything else."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.containers import Container
from docker.types import LogConfig, Mount

from pytest_itbench.environments.docker.engine import LABEL
from pytest_itbench.errors import EngineTrouble
from pytest_itbench.owner import describe_owner

IMAGE = "ghcr.io/kyverno/kyverno-cli:v1.13.4"
PLACE = "/judged"
"""Where the files are that are judged; a volume of the container's own, as all else is read-only."""

LOOK = 2
"""Seconds that an engine has to say whether it has the image."""
LARGEST_OUTPUT = 1024**2
MEMORY = 1024**3
TIMED_OUT = 124
"""Exit status of what did not end in time, as timeout(1) has it."""


def find_missing_image(image: str = IMAGE) -> str:
    """Why no container can be made of the image; empty when one can. Never looks beyond the engine."""
    try:
        with closing(docker.from_env(timeout=LOOK)) as client:
            client.images.get(image)
    except ImageNotFound:
        return f"the container engine has no image {image}"
    except (DockerException, requests.RequestException):
        return "no container engine answers"
    return ""


def pull_image(image: str = IMAGE) -> str:
    """Fetch the image; gives why that is not possible, or an empty text."""
    try:
        with closing(docker.from_env()) as client:
            client.images.pull(image)
    except (DockerException, requests.RequestException) as error:
        return f"{image} cannot be pulled: {error}"
    return ""


def run_kyverno(
    arguments: Sequence[str], files: Mapping[str, str], timeout: float, image: str = IMAGE
) -> tuple[int, str]:
    """The exit status of `kyverno ARGUMENTS` in a directory with the files, and what it printed (bounded).

    Raises:
        EngineTrouble: the engine failed.
    """
    try:
        with closing(docker.from_env()) as client, _container(client, arguments, image) as container:
            container.put_archive(PLACE, _pack(files))
            container.start()
            return _await(container, timeout), _read_output(container)
    except (DockerException, requests.RequestException) as error:
        raise EngineTrouble(f"running {image}: {error}") from error


@contextmanager
def _container(client: docker.DockerClient, arguments: Sequence[str], image: str) -> Iterator[Container]:
    container = client.containers.create(
        image,
        list(arguments),
        working_dir=PLACE,
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=MEMORY,
        memswap_limit=MEMORY,
        nano_cpus=10**9,
        pids_limit=128,
        tmpfs={"/tmp": "size=16m"},  # noqa: S108  # a directory in the container
        mounts=[Mount(target=PLACE, source=None, type="volume")],
        environment={"HOME": "/tmp", "GOMAXPROCS": "1"},  # noqa: S108
        log_config=LogConfig(type="json-file", config={"max-size": "2m", "max-file": "1"}),
        labels={LABEL: "kyverno", f"{LABEL}.owner": describe_owner()},
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def _await(container: Container, timeout: float) -> int:
    try:
        return int(container.wait(timeout=timeout)["StatusCode"])
    except requests.RequestException:  # what the engine does not answer in time, and what it never will
        try:
            container.kill()
        except APIError:
            return int(container.wait(timeout=LOOK)["StatusCode"])  # it ended at the last moment
        return TIMED_OUT


def _read_output(container: Container) -> str:
    kept = bytearray()
    for chunk in container.logs(stdout=True, stderr=True, stream=True, follow=False):
        kept += chunk
        if len(kept) > LARGEST_OUTPUT:
            break
    return kept[:LARGEST_OUTPUT].decode(errors="replace")


def _pack(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
