"""A bench: the rows of a suite measured one cell after the other, each against a freshly started app."""
