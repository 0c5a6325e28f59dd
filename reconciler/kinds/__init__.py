"""The kinds, one file each, found by walking this folder: a new kind is one new file and no other change."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from reconciler.errors import suggestion
from reconciler.schema.kind import Kind


@cache
def all_kinds() -> Mapping[str, type[Kind]]:
    """Every kind by its name, in alphabetical order."""
    found: dict[str, type[Kind]] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Kind) and value.__module__ == f"{__name__}.{module.name}":
                found[value.__name__] = value
    return dict(sorted(found.items()))


@cache
def kind(name: str) -> type[Kind]:
    """The kind of that name; raises KeyError."""
    return all_kinds()[name]


@cache
def satellites() -> Mapping[str, type[Kind]]:
    """The kinds that belong to an external client app, by the key of their section in the app's document."""
    return {k.section: k for k in all_kinds().values() if k.section}


@cache
def settings() -> Mapping[str, type[Kind]]:
    """Return the kinds of which an org has exactly one record, its settings, by name."""
    return {name: k for name, k in all_kinds().items() if k.singleton}


APP = "ExternalClientApplication"
HANDLER = "OauthTokenExchangeHandler"
ENABLEMENT = "enablements"
"""The one list whose items are resources of their own: they have owners apart from the handler that holds them."""


CALLED: Mapping[str, str] = {
    "externalclientapp": "ExternalClientApplication",
    "externalclientapps": "ExternalClientApplication",
    "eca": "ExternalClientApplication",
    "connectedapplication": "ConnectedApp",
    "tokenexchangehandler": "OauthTokenExchangeHandler",
    "customscope": "OauthCustomScope",
}
"""What people call a kind. Their letters are often nearer to the name of another one, such as ExternalClientAppSettings."""


def suggested_kind(word: str, known: Iterable[str], *, every: bool = False) -> str:
    """Suggest the kind that a wrong name means, as `suggestion` does; some common names of kinds are known too."""
    names = list(known)
    called = CALLED.get(word.casefold(), "")
    return f"did you mean {called}?" if called in names else suggestion(word, names, every=every)
