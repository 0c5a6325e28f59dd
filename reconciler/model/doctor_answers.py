"""What an org says when it is asked whether we can work with it: values, judged by `doctor`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.errors import Complaint
from reconciler.model.live import OrgInfo


@dataclass(frozen=True, slots=True)
class DoctorAnswers:
    """What an org says about itself, our user and our calls; what it does not say stands in `unknown`."""

    org: OrgInfo
    host: str = ""
    """Where the org was asked: scheme, host and port."""
    versions: tuple[str, ...] = ()
    """API versions that the org offers, e.g. `63.0`."""
    permissions: Mapping[str, bool] = field(default_factory=dict)
    """API name of a permission, like `ModifyMetadata` -> whether our user holds it. What the org did not say is not in it."""
    seen: Mapping[str, int] = field(default_factory=dict)
    """Kind -> how many resources of it were read."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Kind or address that could not be read -> why, in the org's words."""
    unread: tuple[Complaint, ...] = ()
    """Why nothing at all could be read; empty if it could."""
    calls_left: int | None = None
    """Of today's API calls; `None` if the org does not tell."""
    calls_a_day: int = 0
    calls: int = 0
    """So many calls reading the org as a plan does took."""
    ahead: float | None = None
    """Seconds that our clock is ahead of the org's; `None` if no answer had the time."""
    jwt_token: bool = False
    """Whether our access token is a JWT, which SOAP does not take."""
    by_rest: bool | None = None
    """Whether the org takes deployments by REST; `None` if it does not tell."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Topic -> why nothing is known of it, in the org's words: `identity`, `resources`, `permissions`, `app_permissions`,
    `limits`, and those of `Facts` and `History`."""
