"""Reads YAML files within bounds, with the line and column of every value."""
