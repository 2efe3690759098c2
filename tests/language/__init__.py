"""Tests of the languages of reports."""
