"""A measured run: its records, the folder they are stored in and read from, the load generator's output, the audit."""
