"""Records the cassettes anew: `python -m tests.salesforce.record`, optionally with the names of some.

Each conversation is held over a real socket with `serve` of the mock org, in a process of its own that ends with it.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from providers.mock import open_org
from tests.salesforce.conversations import CONVERSATIONS, FOLDER, Conversation, provider_at, recorder

_SERVE = """
import sys
from providers.mock import open_org, serve
serve(open_org(sys.argv[1]), ready=lambda served: print(served.url, flush=True))
"""


@contextmanager
def served(file: Path) -> Iterator[str]:
    """The base URL of a mock org that is served from its file."""
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(file)], stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None or not (url := process.stdout.readline().strip()):
            raise RuntimeError("the mock org does not start")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


def record(conversation: Conversation) -> None:
    """Hold one conversation and keep it on its tape."""
    conversation.tape.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "org.db"
        org = open_org(file, **conversation.switches)
        token = conversation.token or org.access_token()
        org.close()
        with served(file) as url, recorder("once").use_cassette(str(conversation.tape)):
            conversation.talk(provider_at(url, token, conversation.way, waits=True))


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for conversation in CONVERSATIONS:
        if not names or conversation.name in names:
            record(conversation)
            sys.stdout.write(f"{conversation.tape.name}: {conversation.tape.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
