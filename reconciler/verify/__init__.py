"""What a configuration promises, as calls that must succeed and calls that must fail. Pure: nothing is called here.

`promises` makes the probes from the files and from what the org holds, `judging` says what an answer means. The engine
(`engine/verifying`) runs them.
"""

from reconciler.verify.given import Given
from reconciler.verify.judging import Standing, Verdict, VerifyReport, judge
from reconciler.verify.probe import Flow, Granted, Probe, Refused
from reconciler.verify.promises import promises

__all__ = [
    "Flow",
    "Given",
    "Granted",
    "Probe",
    "Refused",
    "Standing",
    "Verdict",
    "VerifyReport",
    "judge",
    "promises",
]
