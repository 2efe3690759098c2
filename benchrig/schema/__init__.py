"""JSON Schemas made from dataclasses: for editors that complete a user's YAML, and for programs that read our results.

`convert` turns a class into a schema, `documents` says which files have one. `python -m benchrig.schema` writes them all
into `docs/schema/`; a test sees that they are those of today's classes.
"""
