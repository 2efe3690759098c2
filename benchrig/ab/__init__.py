"""A/B sessions: two variants measured in turn over several boots of their machines, and what their pairs show."""
