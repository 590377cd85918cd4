"""Backs up what a site cannot make anew, and puts it back, in a container that has only Debian's Python."""
