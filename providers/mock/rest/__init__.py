"""The REST APIs: queries, single records, credentials."""
