"""Reading the stack's own state while the engine writes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from infra.stack import state


def test_a_state_that_is_being_written_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [
        Exception("failed to load checkpoint: EOF"),
        Exception("failed to load checkpoint: unexpected end of JSON input"),
        SimpleNamespace(value={"outputs": {"urn": {"type": "t", "outputs": {}}}}),
    ]

    def invoke(*_: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(state, "_PAUSE_SECONDS", 0.0)
    assert list(state.resources()) == ["urn"]


def test_a_state_that_cannot_be_read_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def invoke(*_: Any) -> Any:
        raise Exception("failed to load checkpoint: EOF")  # noqa: TRY002 - as the SDK does

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(state, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(Exception, match="EOF"):
        state.resources()
