"""Programs that are sent to a host as text and run there by its Python: they import only the standard library."""
