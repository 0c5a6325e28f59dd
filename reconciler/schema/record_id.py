"""Compares ids of Salesforce records, which have 15 characters or 18. Pure.

The last three of 18 are a checksum of the letter case of the others, so the first 15 say which record it is
(https://help.salesforce.com/s/articleView?id=000385585).
"""


def short_id(id: str) -> str:
    """Return the 15 characters of an id that say which record it is; an empty id stays empty."""
    return id[:15]


def same_id(one: str, other: str) -> bool:
    """Return whether two ids, each of 15 or of 18 characters, mean the same record."""
    return one[:15] == other[:15]
