"""Reads the desired files: from a folder to resources with the place of every value."""
