"""`python3 -m tools.toolchain WHAT`: what `make` calls. Old Pythons are told so in words they can read."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the check that makes the promise true
    sys.exit(
        "cyberhubs needs Python 3.11 or newer; this is {}.{}.\n"
        "Install a newer one and name it: make PYTHON=python3.13 ...".format(*sys.version_info[:2])
    )

from tools.toolchain.commands import main

main()
