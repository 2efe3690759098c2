"""Tests of A/B sessions."""
