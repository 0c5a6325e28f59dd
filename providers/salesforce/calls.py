"""The calls that can be made to one org, and what they have in common: the session, the API version, which org it is."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from providers.salesforce.files.certificates import Certificates
from providers.salesforce.files.packing import Limits
from providers.salesforce.login import Credentials
from providers.salesforce.wire.metadata_api import MetadataApi, Way
from providers.salesforce.wire.polling import Patience
from providers.salesforce.wire.rest import Rest
from providers.salesforce.wire.session import OrgSession
from reconciler.errors import Complaint, ReconcilerError, UnreachableError
from reconciler.model.live import OrgInfo
from reconciler.provider import Progress

NEWEST_API_VERSION = 66.0
"""The newest version that our kinds know."""
_ORG = "SELECT Id, Name, InstanceName, IsSandbox, OrganizationType FROM Organization"


class Calls:
    """The calls that can be made to one org. Nothing is sent before the first of them."""

    def __init__(
        self,
        session: OrgSession,
        credentials: Credentials,
        *,
        api_version: str = "",
        way: Way = Way.AUTO,
        patience: Patience | None = None,
        limits: Limits | None = None,
        tell: Progress | None = None,
        alias: str = "",
    ) -> None:
        patience = patience or Patience()
        if tell is not None:
            patience = replace(patience, tell=tell)
        self.session, self.credentials, self.patience = session, credentials, patience
        self.rest = Rest(session, credentials, patience, lambda: self.version)
        self.api = MetadataApi(session, credentials, self.rest, patience, way)
        self.pinned, self.alias = api_version, alias
        self.limits = limits or Limits()
        self.certificates = Certificates(self.listed_certificates)

    @cached_property
    def org(self) -> OrgInfo:
        """Which org this is, from the org itself; asked once. Raises NotAllowedError, UnreachableError."""
        version = self.version
        found = self.rest.query(_ORG)
        if len(found) != 1:
            raise UnreachableError(Complaint(f"{self.api.host} does not say which org it is"))
        row = found[0]
        return OrgInfo(
            id=str(row.get("Id") or ""),
            name=str(row.get("Name") or ""),
            instance=str(row.get("InstanceName") or ""),
            is_sandbox=row.get("IsSandbox") is True,
            organization_type=str(row.get("OrganizationType") or ""),
            api_version=version,
            alias=self.alias,
        )

    @cached_property
    def version(self) -> str:
        """The pinned API version, or the newest that both the org and our kinds know."""
        return self.pinned or self._newest()

    def _newest(self) -> str:
        offered = [v for v in self.rest.versions() if v.replace(".", "", 1).isdigit()]
        known = [version for version in offered if float(version) <= NEWEST_API_VERSION]
        if not known:
            raise ReconcilerError(
                Complaint(
                    f"{self.api.host} offers no API version that we know (up to {NEWEST_API_VERSION})",
                    mend="pin api_version in the project file",
                )
            )
        return max(known, key=float)

    def listed_certificates(self) -> Mapping[str, str]:
        """The org's certificates: name -> id."""
        return {one.full_name: one.id for one in self.api.listing(["Certificate"])}
