"""The function that makes a format of a report. Only the module of the format that was asked for is loaded."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from reconciler.model.formats import FORMATS


def page_of(form: str) -> Callable[..., str]:
    """The function that `reconciler.model.formats` names for `form`, which is one of its `REPORTS`."""
    module, _, name = FORMATS[form].page.rpartition(".")
    return cast(Callable[..., str], getattr(import_module(f"reconciler.render.{module}"), name))
