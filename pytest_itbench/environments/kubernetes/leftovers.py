"""What runs left on a cluster: namespaces, with the rights and webhooks that go with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.cleanliness import clean_after
from pytest_itbench.environments.kubernetes.guard import NAME, stop_guard
from pytest_itbench.environments.kubernetes.lease import LABEL, LEASE, OWNER, await_gone, release_lease
from pytest_itbench.errors import AttemptInvalid
from pytest_itbench.owner import is_gone

LOG = logging.getLogger(__name__)
OF_CLUSTER = (
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
)
"""Where that of leases stands which is in no namespace."""

Wanted = Callable[[Object], bool]


def remove_left(api: Api, namespaces: list[Object], wanted: Wanted) -> list[str]:
    """Remove the namespaces that are wanted gone, wait for it, and give the names of those that are."""
    leases: dict[str, list[str]] = {}
    for namespace in filter(wanted, namespaces):
        metadata = namespace["metadata"]
        # Without its namespace a guard would not answer, and no sweep would find the webhook that asks it.
        if metadata["labels"][LABEL] != NAME or _stop_guard(api, metadata["name"]):
            leases.setdefault(metadata["labels"][LEASE], []).append(metadata["name"])
    for lease, names in leases.items():
        for name in names:
            clean_after(api, name)
        release_lease(api, names, lease)
    removed = [name for names in leases.values() for name in names]
    left = set(await_gone(api, removed))
    if left:
        LOG.warning("namespaces are still there: %s", ", ".join(sorted(left)))
    return [name for name in removed if name not in left]


def _stop_guard(api: Api, namespace: str) -> bool:
    try:
        stop_guard(api, namespace)
    except (AttemptInvalid, Refused) as trouble:
        LOG.warning("guard %s is left for the next sweep: %s", namespace, trouble)
        return False
    return True


def remove_orphans(api: Api, namespaces: list[Object]) -> list[str]:
    """Remove what belongs to processes of this machine that are no more, and what stands there for nobody.

    Raises:
        Refused, EngineTrouble
    """
    # First what is for nobody: a webhook without its guard says no to everything that it is asked.
    return [*_remove_stray(api), *remove_left(api, namespaces, is_orphan)]


def _remove_stray(api: Api) -> list[str]:
    """Remove rights and webhooks of leases of which no namespace is left; gives the names of the leases."""
    found: dict[str, list[str]] = {}
    for root in OF_CLUSTER:
        with suppress(Refused):  # a user who may not see them has made none of them
            for each in api.get(root, labelSelector=LEASE)["items"]:
                metadata = each["metadata"]
                found.setdefault(metadata["labels"][LEASE], []).append(f"{root}/{metadata['name']}")
    # Read after them: a lease is given its namespaces before anything else, so that one in the making has some by now.
    namespaces = api.get("/api/v1/namespaces", labelSelector=LEASE)["items"] if found else ()
    living = {namespace["metadata"]["labels"][LEASE] for namespace in namespaces}
    return [lease for lease, paths in found.items() if lease not in living and _delete(api, paths)]


def _delete(api: Api, paths: list[str]) -> bool:
    """Whether all of it is gone."""
    refused = 0
    for path in paths:
        try:
            api.delete(path)
        except (AttemptInvalid, Refused) as trouble:
            LOG.warning("%s cannot be removed: %s", path, trouble)
            refused += 1
    return not refused


def is_owned_by(owner: str) -> Wanted:
    """Whether a namespace belongs to a process."""
    return lambda namespace: _find_owner(namespace) == owner


def is_guard_of(owner: str) -> Wanted:
    """Whether a namespace is that of a process' guard."""
    return lambda namespace: _find_owner(namespace) == owner and namespace["metadata"]["labels"][LABEL] == NAME


def is_orphan(namespace: Object) -> bool:
    """Whether it belongs to a process of this machine that is no more."""
    owner = _find_owner(namespace)
    return bool(owner) and is_gone(owner)


def is_kept(namespace: Object) -> bool:
    """Whether it was kept for a person."""
    return bool(namespace["metadata"]["labels"].get(LABEL) == "kept")


def _find_owner(namespace: Object) -> str:
    return str(namespace["metadata"].get("annotations", {}).get(OWNER, ""))
