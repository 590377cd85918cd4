"""Reads secrets that were made elsewhere, by any program of any system, and writes them on as one takes them.

The check before `up` and what is put on the machine come from the same reader, so nothing is taken that
fails later.
"""
