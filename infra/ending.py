"""How the program ends after an error that it has told in words of its own."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

_TOLD: Final = 32
"""Of Pulumi's host for Python: all that its user needs has been said."""


def let_our_words_be_the_last() -> None:
    """Have Pulumi add nothing to the message of a RunError.

    Its host ends with 1 then, also where the error came up in an output, and the engine takes every 1 for
    `an unhandled error`.
    """
    leave = sys.exit

    def leave_told(code: object = None) -> NoReturn:
        leave(_TOLD if code == 1 else code)  # type: ignore[arg-type]  # as sys.exit, it takes anything

    sys.exit = leave_told
