"""Plays on a host: tasks with their modules, templates, handlers and events."""
