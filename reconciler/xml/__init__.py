"""Metadata XML: bounded parsing, records to XML and back, and where each element stands."""
