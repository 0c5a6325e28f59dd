"""Carries requests to the application and answers back: over HTTP, TLS, or without a socket."""
