"""Pulumi's way in: read the stack's settings, get its machine, put the hub on it."""

from infra.ending import let_our_words_be_the_last
from infra.program import main

let_our_words_be_the_last()
main()
