"""What is wrong with a stack file, in the words of its writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from infra.stack.rules import rule_of


@dataclass(frozen=True)
class Fault:
    """One wrong setting: its key, and the rule with the way out."""

    key: str
    rule: str
    stops: bool = True
    """Nothing is made with it; else people are only warned."""


def explain(error: ValidationError, section: str = "") -> list[Fault]:
    """Every fault that pydantic found (in one section), with the path as the stack file writes it.

    Values are left out: a mistyped key may hold a secret.
    """
    faults = []
    items = error.errors(include_url=False, include_input=True, include_context=True)
    for item in items:
        depth = len(item["loc"])
        if item["type"] == "too_short" and any(
            len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in items
        ):
            continue  # its entries are there, only wrong, and reported one by one
        key = path((section, *item["loc"]) if section else item["loc"])
        faults.append(Fault(key, rule_of(item, key)))
    return faults


def path(loc: tuple[str | int, ...]) -> str:
    """The key as written: pydantic puts a union's chosen kind into the path, the file does not."""
    written: list[str | int] = []
    kind_is_next = False
    for part in loc:
        if kind_is_next:
            kind_is_next = False
            continue
        if part == "[key]":
            continue  # the name of a hub is wrong, not what is below it
        written.append(part)
        kind_is_next = _has_kinds(written)
    return joined(written)


def joined(parts: list[Any]) -> str:
    """Keys and numbers as `pulumi config set --path` takes them: `hub.spaces[0].mount`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _has_kinds(written: list[str | int]) -> bool:
    """Whether what is at this place of the file is one of several kinds."""
    match written:
        case ["cloud"] | ["web", "tls"]:
            return True
        case ["hub", *rest] | ["hubs", _, *rest]:
            return rest == ["auth"] or (len(rest) == 2 and rest[0] == "spaces")
    return False
