"""What is wrong with a stack file, in the words of its writer."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError


@dataclass(frozen=True)
class Fault:
    """One wrong setting: its key, and the rule with the way out."""

    key: str
    rule: str


def explain(error: ValidationError, section: str = "") -> list[Fault]:
    """Every fault that pydantic found (in one section), with the path as the stack file writes it.

    Values are left out: a mistyped key may hold a secret.
    """
    faults = []
    items = error.errors(include_url=False, include_input=False, include_context=True)
    for item in items:
        depth = len(item["loc"])
        if item["type"] == "too_short" and any(
            len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in items
        ):
            continue  # its entries are there, only wrong, and reported one by one
        rule = item["msg"].removeprefix("Value error, ")
        match item["type"]:
            case "extra_forbidden":
                rule = "is not a setting; remove it or correct its spelling"
            case "missing":
                rule = "is required; set it"
            case "union_tag_not_found":
                rule = "needs a kind that says which it is"
            case "string_pattern_mismatch":
                rule = f"has a form that cannot be; it must match {item['ctx']['pattern']}"
        faults.append(Fault(_path((section, *item["loc"]) if section else item["loc"]), rule))
    return faults


_UNIONS = {"cloud", "auth", "tls"}


def _path(loc: tuple[str | int, ...]) -> str:
    """The key as written: pydantic puts a union's chosen kind into the path, the file does not."""
    path = ""
    before: str | int = ""
    for part in loc:
        chosen_kind = before in _UNIONS or (isinstance(before, int) and path.startswith("hub.spaces"))
        if isinstance(part, int):
            path += f"[{part}]"
        elif not chosen_kind:
            path += f".{part}" if path else part
        before = part
    return path
