"""Metadata as files: XML to bodies and back, packages, zips, limits."""
