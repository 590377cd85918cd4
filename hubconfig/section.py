"""What every part of a settings file has in common."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


@dataclass(frozen=True)
class Changing:
    """What changing a setting later does, for the settings reference: `Annotated[str, Changing("...")]`."""

    effect: str


class Section(BaseModel):
    """A part of a settings file: frozen, no unknown keys, camelCase in files.

    Input is hidden in errors because a mistyped key may hold a secret.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )
