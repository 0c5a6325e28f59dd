"""Reports with anything in them, for properties that every output has to keep."""

from hypothesis import strategies as st

from reconciler.model.facts import Deployment
from reconciler.model.reports import CheckReport, DriftReport

from .test_text import ADDRESSES, FINDINGS, NASTY, ORGS, UNCHECKED

__all__ = ["CHECKS_OF_ANYTHING", "DRIFTS_OF_ANYTHING"]

SEVERAL = st.lists(NASTY, max_size=2).map(tuple)
DRIFTS_OF_ANYTHING = st.builds(
    DriftReport,
    ORGS,
    st.lists(FINDINGS, max_size=3).map(tuple),
    st.sampled_from(["baseline", "desired"]),
    compared=st.lists(ADDRESSES, max_size=2).map(tuple),
    in_flight=st.lists(st.builds(Deployment, NASTY, NASTY, NASTY, NASTY, NASTY), max_size=1).map(tuple),
    notes=SEVERAL,
    resolved=SEVERAL,
    created=NASTY,
)
CHECKS_OF_ANYTHING = st.builds(
    CheckReport,
    st.lists(FINDINGS, max_size=3).map(tuple),
    st.lists(UNCHECKED, max_size=2).map(tuple),
    st.lists(ADDRESSES, max_size=2).map(tuple),
    st.none() | ORGS,
    notes=SEVERAL,
    resolved=SEVERAL,
    created=NASTY,
)
