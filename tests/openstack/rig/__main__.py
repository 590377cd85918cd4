"""`python -m tests.openstack.rig up|down|status`: the rig by hand. As root, with Docker."""

from __future__ import annotations

import argparse

from tests.openstack.rig import box, life
from tools.toolchain.console import say


def main() -> None:
    """Do what the argument says."""
    parser = argparse.ArgumentParser(prog="python -m tests.openstack.rig", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    match parser.parse_args().command:
        case "up":
            life.up()
            say(f"export OS_CLIENT_CONFIG_FILE={life.clouds_yaml()} OS_CLOUD=arbutus  # or operator, member")
        case "down":
            life.down()
        case "status":
            say(box.run("supervisorctl", "status"))


main()
