"""Ours and the peer measured in turn, as often as the command line says."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.arrangements import Arrangement, make_stub, ours, peer
from benchmarks.figures import Figures, rounds

PutThere = Callable[[], AbstractContextManager[Arrangement]]
"""Has an arrangement while a block runs."""


def side_by_side(name: str, about: str | None, measured: Callable[[PutThere], Figures]) -> None:
    """Measure both in turn, round by round, and print what came out.

    :param name: what the file of results is called.
    :param about: what `--help` says.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=3)
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    count = parser.parse_args().rounds
    make_stub()
    rounds(count, {"ours": partial(measured, ours), "peer": partial(measured, peer)}, name)
