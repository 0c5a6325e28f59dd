"""Apex source, as far as rules look at it: tokens, classes and methods, and what a handler does with a token. Pure."""
