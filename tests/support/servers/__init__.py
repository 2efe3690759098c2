"""Small servers of known behaviour, each a program of its own, for tests under a real load."""
