"""Compares the baseline with the org: what changed behind the files' back, and who did it. Pure."""
