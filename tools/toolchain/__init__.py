"""Gets a bare machine ready for the Pulumi program; needs Python's standard library only."""
