"""Whether there is a cluster to work on, told without asking it and without its libraries."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from pytest_itbench.environments.base import ProviderOptions
from pytest_itbench.errors import OptionMistake

KINDS = ("kind", "k3s")


def find_problem(options: ProviderOptions) -> str:
    """Why there is no cluster; empty when there is one, as far as it can be told without asking it."""
    kind = choose_kind(options)
    if find_spec("kubernetes") is None:
        return "clusters need: pip install 'pytest-itbench[kubernetes]'"
    if options.kubeconfig:
        return find_flaw(Path(options.kubeconfig), options.context)
    if kind == "kind":
        return "" if shutil.which("kind") else "kind is not on the PATH"
    if kind == "k3s":
        return "" if find_spec("testcontainers") else "k3s needs: pip install 'pytest-itbench[k3s]'"
    return "no cluster is named (--itbench-kubeconfig, --itbench-cluster) and kind is not on the PATH"


def find_flaw(kubeconfig: Path, context: str = "") -> str:
    """Why a file cannot be used as a kubeconfig, with that context; empty when it looks well."""
    try:
        content = _read(kubeconfig)
    except OSError as error:
        return f"kubeconfig {kubeconfig} cannot be read: {error.strerror}"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"kubeconfig {kubeconfig} is no YAML: {' '.join(str(error).split())}"
    if not isinstance(content, dict) or not isinstance(content.get("contexts"), list):
        return f"{kubeconfig} is no kubeconfig: it has no list of contexts"
    names = [str(each.get("name")) for each in content["contexts"] if isinstance(each, dict)]
    if context and context not in names:
        return f"kubeconfig {kubeconfig} has no context {context!r}, but {', '.join(names) or 'none at all'}"
    if not context and not content.get("current-context"):
        return f"kubeconfig {kubeconfig} has no current context: name one of {', '.join(names) or '(it has none)'}"
    return ""


def find_context(kubeconfig: Path) -> str:
    """The name of the current context of a kubeconfig that looks well."""
    return str(_read(kubeconfig).get("current-context") or "")


def _read(kubeconfig: Path) -> Any:
    return yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))


def choose_kind(options: ProviderOptions) -> str:
    """Who makes the cluster, where no kubeconfig is named."""
    kind = options.cluster.partition(":")[0]
    if kind and kind not in KINDS:
        raise OptionMistake(f"--itbench-cluster: {options.cluster!r} is neither kind, kind:NAME nor k3s")
    return kind or ("kind" if shutil.which("kind") else "")
