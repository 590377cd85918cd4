"""A whole OpenStack in a container of its own, for tests: what Arbutus is to a research group."""
