"""Which cluster it is: one that a kubeconfig names, one that ``kind`` keeps, or a k3s that is started for the run."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from pytest_itbench.environments.base import ProviderOptions
from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.leftovers import find_left, remove_all
from pytest_itbench.environments.kubernetes.absence import choose_kind, find_context, find_problem
from pytest_itbench.environments.kubernetes.images import (
    LEAVE_THERE,
    Delivery,
    load_into_k3s,
    load_into_kind,
    push_to,
)
from pytest_itbench.errors import EngineTrouble, MissingExtra, OptionMistake

LOG = logging.getLogger(__name__)
USUAL_KIND = "itbench"
K3S_IMAGE = "rancher/k3s:v1.32.5-k3s1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A cluster and how it is reached.

    Attributes:
        name: what it is called where people read it.
        kubeconfig: a file; of a cluster that is made for us it is there once `ensure` was called.
        context: the kubeconfig's context; the current one when empty.
        deliver: how images get to its nodes.
        kind: who makes it: ``kind``, ``k3s`` or nobody.
        owner: the process that started the run.
    """

    name: str
    kubeconfig: Path
    context: str
    deliver: Delivery
    kind: str = ""
    owner: str = ""

    def ensure(self) -> None:
        """Make the cluster, if it is one of ours and is not there.

        Raises:
            EngineTrouble: it cannot be made.
        """
        if self.kind == "kind":
            _ensure_kind(self)
        elif self.kind == "k3s":
            _start_k3s(self)

    def close(self) -> None:
        """Remove what was made for this run alone."""
        if self.kind == "k3s":
            _remove_k3s(self)


def find_source(options: ProviderOptions) -> Source:
    """The cluster that the options name.

    Raises:
        OptionMistake: they name none that could be used.
    """
    if problem := find_problem(options):
        raise OptionMistake(problem)
    places, kind = options.cache / "clusters", choose_kind(options)
    if options.kubeconfig:
        path = Path(options.kubeconfig).resolve()
        context = options.context or find_context(path)
        deliver = push_to(options.registry) if options.registry else _guess_delivery(context)
        return Source(name=options.context or path.name, kubeconfig=path, context=options.context, deliver=deliver)
    if kind == "kind":
        name = options.cluster.partition(":")[2] or USUAL_KIND
        return Source(
            name=f"kind-{name}",
            kubeconfig=places / f"kind-{name}.kubeconfig",
            context="",
            deliver=load_into_kind(name),
            kind="kind",
        )
    name = f"itbench-k3s-{hashlib.sha256(options.owner.encode()).hexdigest()[:10]}"
    return Source(
        name=name,
        kubeconfig=places / f"{name}.kubeconfig",
        context="",
        deliver=load_into_k3s(name),
        kind="k3s",
        owner=options.owner,
    )


def _guess_delivery(context: str) -> Delivery:
    """A kind cluster's context says so; other nodes are taken to see the images of this machine's engine."""
    if context.startswith("kind-") and shutil.which("kind"):
        return load_into_kind(context.removeprefix("kind-"))
    return LEAVE_THERE


def _ensure_kind(source: Source) -> None:
    name = source.name.removeprefix("kind-")
    source.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(source.kubeconfig.with_suffix(".lock")):
        if name not in _run_kind("get", "clusters").split():
            _run_kind("create", "cluster", "--name", name, "--wait", "120s", "--kubeconfig", str(source.kubeconfig))
        source.kubeconfig.write_text(_run_kind("get", "kubeconfig", "--name", name), encoding="utf-8")
        source.kubeconfig.chmod(0o600)


def _run_kind(*arguments: str) -> str:
    done = subprocess.run(["kind", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        told = done.stderr.strip()[-600:]
        raise EngineTrouble(f"kind {' '.join(arguments)} failed: {told}", hint="try it by hand", cause="cluster")
    return done.stdout


def _start_k3s(source: Source) -> None:
    if source.kubeconfig.is_file():  # the name is this run's own
        return
    try:
        from testcontainers.community.k3s import K3SContainer  # noqa: PLC0415  # an extra of its own
    except ModuleNotFoundError as error:
        raise MissingExtra("cluster 'k3s'", "k3s", error.name or "testcontainers") from error
    # The owner's name goes on: a sweep of what the owner's attempts left is not to take the cluster from under them.
    owner = f"{source.owner}/cluster"
    labels = {LABEL: "cluster", f"{LABEL}.owner": owner, f"{LABEL}.run": source.name}
    with ExitStack() as undo:
        undo.callback(_remove_k3s, source)  # the next try would meet its name
        try:
            container = K3SContainer(K3S_IMAGE, enable_cgroup_mount=True).with_name(source.name)
            container.with_kwargs(privileged=True, labels=labels)  # in place of all that its class has set this way
            container.start()
            text = container.config_yaml()
        except Exception as error:  # its library raises what it meets
            raise EngineTrouble(
                f"k3s does not start: {error}", hint="may containers be privileged here?", cause="cluster"
            ) from error
        source.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        source.kubeconfig.touch(mode=0o600)
        source.kubeconfig.write_text(text, encoding="utf-8")
        undo.pop_all()


def _remove_k3s(source: Source) -> None:
    engine = Engine()
    try:
        remove_all(find_left(engine, f"{LABEL}.run={source.name}"))
    except EngineTrouble as trouble:
        LOG.warning("%s may be left: %s", source.name, trouble)
    finally:
        engine.close()
    source.kubeconfig.unlink(missing_ok=True)
