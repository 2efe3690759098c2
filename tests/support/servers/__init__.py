"""Small real servers on loopback, right and wrong ones, for tests of what a load finds."""
