"""Why Pulumi could not begin: what its own words do not say."""

from __future__ import annotations

import json
import os
import subprocess

from tools.toolchain.places import ROOT

_LOST = (
    "Without it the stack's secrets cannot be read: copy it from where it was made. Of one that is lost for "
    'good tells docs/running.md, "A passphrase that is lost".'
)


def why(stack: str) -> str:
    """What to do about secrets that cannot be read; empty where they can."""
    done = subprocess.run(
        ["pulumi", "config", "--show-secrets", "--json", "--stack", stack],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return _not_utf8(stack, done.stdout)
    return _passphrase(done.stderr)


def _passphrase(said: str) -> str:
    file = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE", "")
    given = "PULUMI_CONFIG_PASSPHRASE" if os.environ.get("PULUMI_CONFIG_PASSPHRASE") else file
    if "incorrect passphrase" in said:
        return f"The stack's secrets were encrypted with another passphrase than that in {given}. {_LOST}"
    if "unable to read PULUMI_CONFIG_PASSPHRASE_FILE" in said:
        return f"The passphrase of the stack's secrets is not in {file}. {_LOST}"
    return ""


def _not_utf8(stack: str, settings: str) -> str:
    """Secrets with bytes that Pulumi cannot hand on; it says `string field contains invalid UTF-8`."""
    wrong = [
        name.partition(":")[2]
        for name, value in json.loads(settings).items()
        if "\ufffd" in value.get("value", "") and "objectValue" not in value
    ]
    if not wrong:
        return ""
    return (
        f"{', '.join(wrong)} of {stack} was set from a file that is not UTF-8. Set it anew: "
        f"iconv -f utf-16 -t utf-8 FILE | pulumi config set --secret {wrong[0]} --stack {stack}\n"
        "(-f latin1 for one that an older editor wrote)"
    )
