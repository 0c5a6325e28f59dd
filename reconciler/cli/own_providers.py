"""Finds our package `providers`, where another one of that name stands earlier on the path.

`providers` stands at the top, beside `reconciler`, and the name is a usual one: a folder of the user's project, or any other
package, may bear it. Python imports whichever it finds first, and a command would end in an ImportError. So where we need
ours, it is looked for beside `reconciler`, wherever that was installed, whatever the path says.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from reconciler.errors import Complaint, InputError

NAME = "providers"
FOLDER = Path(__file__).resolve().parents[2] / NAME


class _Beside:
    """An import finder, which Python asks before it looks along the path. Only for one name, and only once for a process."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        file = FOLDER / "__init__.py"
        if name != NAME or not file.is_file():
            return None
        return spec_from_file_location(name, file, submodule_search_locations=[str(FOLDER)])


def prefer_ours() -> None:
    """Make `import providers` find our package from now on. Loads nothing; called before it is imported.

    Raises InputError where a program that uses us as a library has imported another one already: both cannot be there.
    """
    known = sys.modules.get(NAME)
    if known is None:
        if not any(finder is _Beside for finder in sys.meta_path):
            sys.meta_path.insert(0, _Beside)
        return
    places = [Path(place).resolve() for place in getattr(known, "__path__", ())]
    if FOLDER not in places and FOLDER.is_dir():
        where = places[0] if places else getattr(known, "__file__", None) or "a place of its own"
        message = f"another package called {NAME} is loaded, from {where}; reconciler needs its own, from {FOLDER}"
        raise InputError(
            Complaint(message, mend="install reconciler into an environment of its own, or rename the other package")
        )
