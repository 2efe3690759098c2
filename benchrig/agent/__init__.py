"""The agent, which runs on a host: it provisions it and serves a bench, with the standard library and Jinja2 alone."""
