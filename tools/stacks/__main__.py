"""`python -m tools.stacks WHAT STACK`: what `make` calls in the shell that tools/env.sh prepared."""

from tools.stacks.commands import main

main()
