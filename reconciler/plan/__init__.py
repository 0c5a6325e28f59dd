"""Decides what must change: desired, live and baseline to changes, records to send, and reasons to refuse. Pure."""
