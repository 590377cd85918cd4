"""Reads a stack file: all its faults in one message, before the first resource."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_type_hints

import pulumi
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from infra.stack.faults import Fault, explain, joined
from infra.stack.rules import REWRITTEN_TIME
from infra.stack.secrets import TABLE
from infra.stack.sections import Check, Sections
from infra.stack.settings import Settings

_NOTHING: Final = (
    "the file is not there, or holds no settings; write it as the others in stacks/ are. `pulumi stack rm` "
    "deletes it unless it is told --preserve-config; git, or your copy, has it still"
)

_TYPES: Final = get_type_hints(Settings, include_extras=True)
"""Section to its type, with all that the model says of it beside the type."""


def load(config: pulumi.Config, stack: str, checks: Iterable[Check]) -> Settings:
    """The settings of a stack.

    Raises pulumi.RunError with every fault, each naming its key, the rule and the way out.
    """
    if not any(key.startswith(f"{config.name}:") for key in pulumi.runtime.config.CONFIG.get()):
        raise wrong([Fault("", _NOTHING)])
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, field in Settings.model_fields.items():
        try:
            raw = config.get_object(name)
        except pulumi.ConfigTypeError:
            faults.append(Fault(name, "is not a mapping; write its settings indented below it"))
            continue
        value, wrong_there = _read(name, field, raw)
        faults += wrong_there
        if not wrong_there:
            values[name] = value
    faults += _unknown_keys(config)
    faults += _found(Sections(stack=stack, secrets=_secrets(config), **values), checks)
    if not faults:
        try:
            return Settings(**values)
        except ValidationError as error:
            faults += explain(error)
    raise wrong(faults)


def refuse(sections: Sections, checks: Iterable[Check]) -> None:
    """Raise pulumi.RunError when checks find something, with all of it."""
    if faults := _found(sections, checks):
        raise wrong(faults)


def _found(sections: Sections, checks: Iterable[Check]) -> list[Fault]:
    """What stops; of the rest people are warned."""
    told = [fault for check in checks for fault in check(sections)]
    for fault in told:
        if not fault.stops:
            pulumi.log.warn(f"{fault.key}: {fault.rule}")
    return [fault for fault in told if fault.stops]


def wrong(faults: Sequence[Fault]) -> pulumi.RunError:
    """One error for all faults of the current stack's file."""
    count = "1 wrong setting" if len(faults) == 1 else f"{len(faults)} wrong settings"
    lines = [f"stacks/Pulumi.{pulumi.get_stack()}.yaml: {count}; nothing was created or changed"]
    project = pulumi.get_project()
    lines += [
        f"  {project}:{fault.key}: {fault.rule}" if fault.key else f"  {fault.rule}" for fault in faults
    ]
    return pulumi.RunError("\n".join(lines))


def _secrets(config: pulumi.Config) -> dict[str, str]:
    """The secrets that are set, by key; of a mapping each by its own: `spaceKeys.archive`."""
    found: dict[str, str] = {}
    for secret in TABLE:
        value = config.get(secret.key)
        if value is None:
            continue
        try:
            inside = json.loads(value) if secret.by_name else None
        except ValueError:
            inside = None  # one text; the check of it says what to do
        found |= (
            {f"{secret.key}.{name}": str(each) for name, each in inside.items()}
            if isinstance(inside, dict)
            else {secret.key: value}
        )
    return found


def _read(name: str, field: FieldInfo, raw: Any) -> tuple[Any, list[Fault]]:
    """One section, taken alone: what it says, and what is wrong with it."""
    if raw is None:
        if field.is_required():
            return None, [Fault(name, "is required; set it")]
        return field.get_default(call_default_factory=True), []
    faults = _dates(raw, [name])
    try:
        return TypeAdapter(_TYPES[name]).validate_python(raw), faults
    except ValidationError as error:
        told = {fault.key for fault in faults}
        return None, faults + [fault for fault in explain(error, name) if fault.key not in told]


def _dates(raw: Any, where: list[str | int]) -> list[Fault]:
    """Texts that YAML took for a date and Pulumi wrote anew; only a time may be one."""
    if isinstance(raw, Mapping):
        return [fault for key, value in raw.items() for fault in _dates(value, [*where, key])]
    if isinstance(raw, list):
        return [fault for number, value in enumerate(raw) for fault in _dates(value, [*where, number])]
    if where[-1] == "openUntil" or not isinstance(raw, str) or not REWRITTEN_TIME.fullmatch(raw):
        return []
    rule = "is a date for YAML and was written anew; write what you meant once more, and put it in quotes"
    return [Fault(joined(where), rule)]


def _unknown_keys(config: pulumi.Config) -> list[Fault]:
    """Keys of the stack file that nothing reads: nearly always a slip of the finger."""
    known = {*Settings.model_fields, *(secret.key for secret in TABLE)}
    prefix = f"{config.name}:"
    given = [key.removeprefix(prefix) for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix)]
    return [
        Fault(key, f"is not a setting; the settings are {', '.join(sorted(known))}")
        for key in sorted(given)
        if re.split(r"[.\[]", key)[0] not in known
    ]
