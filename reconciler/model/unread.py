"""Says what to do about something of an org that could not be read; names a permission only if the org does. Pure."""

import re

from reconciler.model.live import NOT_RECORDED

_PERMISSION = re.compile(
    r"permission|privilege|insufficient|not authori[sz]ed|forbidden|(?<!un)access\b", re.IGNORECASE
)
_TYPE = re.compile(
    r"INVALID_TYPE|\btype\b.*\b(is unknown|is not available|not supported|cannot be found)|unknown type|"
    r"not available in this (api version|organization)|API version \S+ does not have it",
    re.IGNORECASE,
)
_OURS = re.compile(r"not UTF-8|XML|the root element is|there is text between|not well-formed", re.IGNORECASE)


def lacks_permission(why: str) -> bool:
    """Whether an org's words say that our user lacks a permission."""
    return _PERMISSION.search(why) is not None and _TYPE.search(why) is None


def mend(why: str) -> str:
    """Return what to do about something that could not be read, from the reason in the org's or our words."""
    if why == NOT_RECORDED:
        return "record again, with these files or once they are merged"
    if _TYPE.search(why):
        return (
            "this org does not know the type at this API version: see whether its feature is switched on and its edition or "
            "licence has it, and what api_version in reconciler.yaml pins"
        )
    if lacks_permission(why):
        return "give the login the permission to read it; what cannot be read is not judged"
    if "both belong to" in why or "names no app" in why:
        return "mend it in Setup; what cannot be told apart is not judged"
    if _OURS.search(why):
        return "the file that the org gave cannot be understood: open the record in Setup and save it anew"
    return (
        "the org itself could not load it: open the record in Setup and save it anew, or ask Salesforce Support; nothing "
        "else is affected"
    )
