"""benchrig: provisions machines and measures web stacks on them."""

__version__ = "0.2.0"
