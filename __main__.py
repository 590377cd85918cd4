"""Pulumi's way in: read the stack's settings, get its machine, put the hub on it."""

from infra.program import main

main()
