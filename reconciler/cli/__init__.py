"""The command line: one file a command, arguments in, text and an exit code out. No logic; heavy imports are lazy."""


def main() -> None:
    """Run one command: the entry point of `reconciler`. Importing this package alone costs nothing."""
    from reconciler.cli.program import main as run

    run()
