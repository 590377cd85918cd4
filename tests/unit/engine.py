"""An engine for tests: runs a program, makes nothing, and keeps what the program asked it to make."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format  # type: ignore[import-untyped]  # of the SDK's own packages
from pulumi.runtime import mocks, rpc, settings

PROJECT = "cyberhubs"

_STACK_TYPE = "pulumi:pulumi:Stack"
_IN_STATE = "pulumi:pulumi:readStackResourceOutputs"

Answer = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]
"""What a lookup gives, or how that follows from its arguments; raises LookupFailedError where it fails."""


class LookupFailedError(Exception):
    """A lookup that the plug-in answers with an error."""


@dataclass(frozen=True)
class Asked:
    """One resource as the program asked for it."""

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    """In the plug-in's own spelling, secrets opened."""
    sent: Mapping[str, Any]
    """As sent to the engine: secrets are in envelopes, the options are beside the inputs."""
    options: Any
    """The request itself: protect, retainOnDelete, ignoreChanges, deletedWith, replaceWith, provider ..."""


@dataclass
class Told:
    """What the program told its operator."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def of(self, level: str) -> str:
        """All lines of one level: debug, info, warning or error."""
        return "\n".join(text for kind, text in self.lines if kind == level)


@dataclass
class Run:
    """All that one run of a program asked for."""

    asked: list[Asked]
    exports: Mapping[str, Any]
    told: Told
    lookups: list[tuple[str, Mapping[str, Any]]]

    def all(self, ending: str) -> list[Asked]:
        """The resources whose type ends so."""
        return [one for one in self.asked if one.type.endswith(ending)]

    def only(self, ending: str) -> Asked:
        """The one resource whose type ends so."""
        (one,) = self.all(ending)
        return one


class _Answers(pulumi.runtime.Mocks):
    def __init__(
        self,
        made: Callable[[pulumi.runtime.MockResourceArgs], tuple[str, Mapping[str, Any]]],
        lookups: Mapping[str, Answer],
    ) -> None:
        self._made = made
        self._lookups = lookups
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        identity, outputs = self._made(args)
        return identity, {**args.inputs, **outputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        self.calls.append((args.token, dict(args.args)))
        answer = self._lookups.get(args.token, {})
        try:
            return dict(answer(dict(args.args)) if callable(answer) else answer), []
        except LookupFailedError as error:
            return {}, [("", str(error))]


class _Recorder(mocks.MockMonitor):
    def __init__(self, answers: _Answers) -> None:
        super().__init__(answers)
        self.asked: list[Asked] = []
        self.exports: Mapping[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's own name
        inputs = opened(rpc.deserialize_properties(request.object))
        # Taken before the answer: the program goes on as soon as it has that.
        sent = json_format.MessageToDict(request.object)
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's
        if request.type != _STACK_TYPE:
            self.asked.append(Asked(request.type, request.name, response.urn, inputs, sent, request))
        # A plug-in marks such outputs secret; the SDK's own double forgets to.
        for key in request.additionalSecretOutputs:
            if key in response.object.fields:
                value = json_format.MessageToDict(response.object.fields[key])
                envelope = {rpc._special_sig_key: rpc._special_secret_sig, "value": value}
                json_format.ParseDict(envelope, response.object.fields[key])
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's own name
        if _STACK_TYPE in request.urn:
            self.exports = json_format.MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # the SDK's


class _Listener(logging.Handler):
    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told.lines.append((record.levelname.lower(), record.getMessage()))


def run(
    program: Callable[[], object],
    config: Mapping[str, Any] | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    made: Mapping[str, Mapping[str, Any]]
    | Callable[[pulumi.runtime.MockResourceArgs], tuple[str, Mapping[str, Any]]]
    | None = None,
    lookups: Mapping[str, Answer] | None = None,
    in_state: Mapping[str, Mapping[str, Any]] | None = None,
    stack: str = "test",
    preview: bool = False,
) -> Run:
    """Run a program.

    :param config: the stack file's settings, without the project's name.
    :param made: what the cloud adds to a resource's inputs, by the type's token; or a function that
        makes it and gives its id and what is added.
    :param lookups: answers to invokes, by token.
    :param in_state: URN's ending after the type (`TYPE::NAME`) to outputs of what earlier updates made.
    """
    values = {f"{PROJECT}:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in (config or {}).items()}
    hidden = {f"{PROJECT}:{k}": v for k, v in (secrets or {}).items()}
    pulumi.runtime.set_all_config({**values, **hidden}, list(hidden))
    state = {
        "outputs": {
            f"urn:pulumi:{stack}::{PROJECT}::{key}": {"type": key.rpartition("::")[0], "outputs": outputs}
            for key, outputs in (in_state or {}).items()
        }
    }
    answers = _Answers(
        made if callable(made) else _from_table(made or {}), {_IN_STATE: state, **(lookups or {})}
    )
    recorder = _Recorder(answers)
    told = Told()
    logger = logging.Logger("program")  # noqa: LOG001 - one of its own, so that runs do not hear each other
    logger.addHandler(_Listener(told))
    # Each run in a loop of its own, with a stack of its own: nothing of an earlier one is waited for.
    asyncio.set_event_loop(asyncio.new_event_loop())
    settings.set_root_resource(None)  # type: ignore[arg-type]  # its way to say there is none
    mocks.set_mocks(
        answers,
        project=PROJECT,
        stack=stack,
        preview=preview,
        monitor=recorder,
        logger=logger,
        organization="organization",
    )
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]  # the SDK's
    return Run(recorder.asked, recorder.exports, told, answers.calls)


def _from_table(
    table: Mapping[str, Mapping[str, Any]],
) -> Callable[[pulumi.runtime.MockResourceArgs], tuple[str, Mapping[str, Any]]]:
    def make(args: pulumi.runtime.MockResourceArgs) -> tuple[str, Mapping[str, Any]]:
        return args.resource_id or f"{args.name}-id", {
            "name": args.name,
            **args.inputs,
            **table.get(args.typ, {}),
        }

    return make


def _secret(value: Mapping[str, Any]) -> bool:
    return bool(value.get(rpc._special_sig_key) == rpc._special_secret_sig)


def opened(value: Any) -> Any:
    """A value without secrets' envelopes; whole numbers, which travel as fractions, are whole again."""
    if isinstance(value, Mapping):
        if _secret(value):
            return opened(value["value"])
        return {key: opened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [opened(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def texts(sent: Any) -> Iterator[str]:
    """Every string in the open: those in secrets' envelopes are left out."""
    if isinstance(sent, Mapping):
        if _secret(sent):
            return
        for value in sent.values():
            yield from texts(value)
    elif isinstance(sent, Sequence) and not isinstance(sent, str):
        for value in sent:
            yield from texts(value)
    elif isinstance(sent, str):
        yield sent
