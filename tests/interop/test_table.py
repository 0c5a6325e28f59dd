"""docs/interop.md says what the interop suite covers. It is made from the suite's results: `REWRITE_DOCS=1 make interop`."""

from importlib import import_module

from tests.interop import covers


def test_the_page_names_the_tests_that_there_are() -> None:
    """Whoever chooses a client by the page: a cell without a test, or a test without a cell, misleads them."""
    modules = [import_module(f"tests.interop.{name}") for name in covers.MODULES]
    tests = [value for module in modules for name, value in vars(module).items() if name.startswith("test_")]

    assert covers.page(covers.marked(tests)) == covers.PAGE.read_text(encoding="utf-8")


def test_every_module_of_the_suite_counts() -> None:
    """Whoever adds a module, and would miss it on the page."""
    assert {*covers.MODULES, "test_table"} == {
        path.stem for path in covers.PAGE.parents[1].glob("tests/interop/test_*.py")
    }
