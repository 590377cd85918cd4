"""Each application hub does its own science, and its programs open in a browser; `make test-images`."""
