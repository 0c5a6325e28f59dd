"""Speaks to an org: sessions, SOAP, REST, waiting, and what its refusals mean."""
