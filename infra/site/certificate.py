"""Puts a certificate of the administrator's own where the proxy reads it."""

from __future__ import annotations

import hashlib

import pulumi

from hubconfig.container import UID
from infra import pem
from infra.engine import Engine, EngineError, MissingError, UnreachableError
from infra.stack.settings import FilesTls


def put_certificate(tls: FilesTls, engine: Engine, image: str, folder: str) -> None:
    """Write certificate and key into a folder of the machine, whole or not at all.

    Neither is ever a resource's input: the key goes through a pipe and is in no state, no command
    line and no container's description. The proxy watches the folder and needs no restart.

    Raises pulumi.RunError when it cannot be written; MissingError, UnreachableError.
    """
    pair = pem.pair(tls.certificate_file, tls.key_file)
    for name, text in (("ssl.crt", pair.certificate_text), ("ssl.key", pair.key_text)):
        digest = hashlib.sha256(text.encode()).hexdigest()
        script = (
            f"mkdir -p /tls; cd /tls; umask 077; cat >.{name}.new; "
            f'if [ "$(sha256sum <{name} 2>/dev/null)" = "{digest}  -" ]; then rm .{name}.new; '
            f"else chown {UID}:{UID} .{name}.new; mv .{name}.new {name}; fi"
        )
        try:
            engine.run(
                *("run", "--rm", "--interactive", "--network", "none", "--user", "0", "--entrypoint", "sh"),
                *("--volume", f"{folder}:/tls", image, "-c", script),
                text=text,
            )
        except (MissingError, UnreachableError):
            raise
        except EngineError as error:
            raise pulumi.RunError(f"could not write {name} to {folder} on the machine: {error}") from None
