"""A project: its folder, its desired files and its orgs, as the project file describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.errors import Complaint, InputError, Place, suggestion
from reconciler.model.formats import FORMATS
from reconciler.project.filling import Filling
from reconciler.project.org import Org
from reconciler.yaml.events import RawPath
from reconciler.yaml.reader import Positions


@dataclass(frozen=True, slots=True)
class Project:
    """A project file that was read."""

    path: Path
    root: Path
    """The folder of the project file; paths in it are relative to this."""
    name: str
    desired: tuple[Path, ...]
    """The folders of desired files; the first is where new ones go."""
    orgs: Mapping[str, Org]
    default_org: str = ""
    watch_all: bool = True
    """Whether drift of everything in the org is looked for; else only of what is managed, and of what belongs to it."""
    digest: str = ""
    """SHA-256 of the file."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    positions: Positions | None = field(default=None, repr=False, compare=False)

    @property
    def apart(self) -> tuple[Path, ...]:
        """The folders of single orgs: their own desired files, and their overlays."""
        return tuple(folder for org in self.orgs.values() for folder in (*org.desired, *org.overlays))

    def org(self, name: str | None = None, *, replay: bool = False) -> Org:
        """Return the org of that name, or for `None` the default one, with `${env.NAME}` filled in. Raises InputError.

        For a replay, all that is needed to reach the org is left out, so that none of it has to be set.
        """
        if name is not None and not name.strip():
            # The default is for people at a keyboard, not for a pipeline whose variable is not set.
            raise InputError(Complaint("the name of the org is empty", mend=f"one of: {', '.join(self.orgs)}"))
        wanted = name or self.default_org or (next(iter(self.orgs)) if len(self.orgs) == 1 else "")
        listed = f"one of: {', '.join(self.orgs)}"
        if not wanted:
            raise InputError(Complaint("there are several orgs", Place(self.path.name), f"pass --org with {listed}"))
        if wanted not in self.orgs:
            near = suggestion(wanted, self.orgs)
            if not near and wanted in FORMATS:
                near = f"did you mean --output {wanted}? -o is short for --org"
            mend = f"{near} ({listed})" if near else listed
            raise InputError(Complaint(f"{wanted!r} is not an org of this project", Place(self.path.name), mend))
        filling = Filling(self.environment)
        chosen = self.orgs[wanted]
        org = filling.org(replace(chosen, mock=None, instance_url="", login={}) if replay else chosen)
        if filling.wrong:
            raise InputError(
                *(
                    Complaint(message, place_of(self.positions, ("orgs", wanted, *path), self.path), mend)
                    for path, message, mend in filling.wrong
                )
            )
        return org


def place_of(positions: Positions | None, path: RawPath, file: Path) -> Place:
    return positions.place((0, *path)) if positions is not None else Place(file.name)
