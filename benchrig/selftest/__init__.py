"""The self-test of benchrig: a server of known behaviour, and the check that figures and warnings about it come out."""
