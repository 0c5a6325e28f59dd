"""Pieces of sentences that all formats share: values, people, places, made safe to be shown."""
