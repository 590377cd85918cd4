"""Reads a stack file: all its faults in one message, before the first resource."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import pulumi
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from infra.stack.faults import Fault, explain, joined
from infra.stack.rules import REWRITTEN_TIME
from infra.stack.settings import SECRETS, SECTIONS, Settings

Check = Callable[["Parts"], Sequence[Fault]]
"""Looks at what could be read of a stack file and says what cannot work."""


class Parts:
    """The sections of a stack file that hold what they should; those with faults are not there.

    So that a fault in one section does not hide what is wrong with another.
    """

    def __init__(self, sections: dict[str, Any], given_secrets: frozenset[str]) -> None:
        """Hold the readable sections and the names of the secrets that are set."""
        self._sections = sections
        self.given_secrets = given_secrets

    def get(self, name: str) -> Any:
        """A section's model, or None when it has faults of its own."""
        return self._sections.get(name)


def load(config: pulumi.Config, checks: Sequence[Check]) -> Settings:
    """The settings of the current stack.

    Raises pulumi.RunError with every fault, each naming its key, the rule and the way out.
    """
    sections: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, field in Settings.model_fields.items():
        try:
            raw = config.get_object(name)
        except pulumi.ConfigTypeError:
            faults.append(Fault(name, "is not a mapping; write its settings indented below it"))
            continue
        if raw is None:
            if field.is_required():
                faults.append(Fault(name, "is required; set it"))
            else:
                sections[name] = field.get_default(call_default_factory=True)
            continue
        found = _faults(name, field, raw)
        faults += found
        if not found:
            sections[name] = _adapter(field).validate_python(raw)
    faults += _unknown_keys(config)
    parts = Parts(sections, frozenset(key for key in SECRETS if config.get_secret(key) is not None))
    for check in checks:
        faults += check(parts)
    if not faults:
        try:
            return Settings(**sections)
        except ValidationError as error:
            faults += explain(error)
    raise wrong(faults)


def wrong(faults: Sequence[Fault]) -> pulumi.RunError:
    """One error for all faults of the current stack's file."""
    count = "1 wrong setting" if len(faults) == 1 else f"{len(faults)} wrong settings"
    lines = [f"stacks/Pulumi.{pulumi.get_stack()}.yaml: {count}; nothing was created or changed"]
    project = pulumi.get_project()
    lines += [
        f"  {project}:{fault.key}: {fault.rule}" if fault.key else f"  {fault.rule}" for fault in faults
    ]
    return pulumi.RunError("\n".join(lines))


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    """Validates one section as its field in Settings would."""
    annotation: Any = field.annotation
    if field.discriminator is not None:
        annotation = Annotated[annotation, Field(discriminator=field.discriminator)]
    return TypeAdapter(annotation)


def _faults(name: str, field: FieldInfo, raw: Any) -> list[Fault]:
    """What is wrong with one section, taken alone."""
    dates = _dates(raw, [name])
    try:
        _adapter(field).validate_python(raw)
    except ValidationError as error:
        told = {fault.key for fault in dates}
        return dates + [fault for fault in explain(error, name) if fault.key not in told]
    return dates


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
    known = {*SECTIONS, *SECRETS}
    prefix = f"{config.name}:"
    given = [key.removeprefix(prefix) for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix)]
    return [
        Fault(key, f"is not a setting; the settings are {', '.join(sorted(known))}")
        for key in sorted(given)
        if re.split(r"[.\[]", key)[0] not in known
    ]
