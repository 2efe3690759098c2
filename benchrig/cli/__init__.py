"""The command line: Invoke with chains, help, completion and errors, and the environments that benchrig runs in."""
