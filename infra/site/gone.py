"""What a stack's state has and its engine has not: somebody removed it, or `docker system prune` did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from infra.engine import Engine

_IMAGE: Final = "docker:index/remoteImage:RemoteImage"

_KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "docker:index/container:Container": ("container", ("ps", "--all")),
    "docker:index/network:Network": ("network", ("network", "ls")),
    _IMAGE: ("image", ("image", "ls", "--all")),
}
"""Type of resource to what people call it, and how Docker lists those that it has."""


def gone(engines: Sequence[Engine], resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Kind and name of each container, network and image that is in the state and not on the machine.

    :param engines: the machine's; then others on which an image may be as well.
    :param resources: what the state has, each with its type and outputs.

    Raises EngineError when an engine cannot be asked.
    """
    there: dict[str, set[str]] = {}
    missing = []
    for resource in resources:
        kind, outputs = str(resource.get("type")), resource.get("outputs") or {}
        identity = str(outputs.get("imageId" if kind == _IMAGE else "id") or "")
        if kind not in _KINDS or not identity:
            continue
        word, listing = _KINDS[kind]
        if kind not in there:
            words = (*listing, "--no-trunc", "--format", "{{.ID}}")
            asked = engines if kind == _IMAGE else engines[:1]
            there[kind] = {line for engine in asked for line in engine.run(*words).split()}
        if identity not in there[kind]:
            missing.append(f"{word} {outputs.get('name', identity)}")
    return sorted(missing)
