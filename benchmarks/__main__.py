"""`python -m benchmarks`: measure, print, and with `--write` keep the numbers in README.md beside this file."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import measuring, peer, report, startup
from benchmarks.measured import FailedError

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SIZES = "100,1000,10000"


def main() -> int:
    """Measure all sizes that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the client costs, and the floor.")
    parser.add_argument("--sizes", default=SIZES, help=f"numbers of apps; default {SIZES}")
    parser.add_argument("--quick", action="store_true", help="100 apps, each thing once")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, of which the median is taken; default 3")
    parser.add_argument("--no-terraform", action="store_true", help="leave terraform out")
    parser.add_argument("--write", action="store_true", help="put the results into benchmarks/README.md")
    asked = parser.parse_args()
    sizes = [100] if asked.quick else [int(number) for number in asked.sizes.split(",")]
    repeat = 1 if asked.quick else asked.repeat
    terraform = None if asked.no_terraform else peer.binary()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        folder = Path(scratch)
        try:
            _tell("start-up")
            start = startup.measure(folder)
            found = []
            for number in sizes:
                here = folder / str(number)
                here.mkdir()
                found.append(measuring.measure(number, here, repeat=repeat, terraform=terraform, tell=_tell))
        except FailedError as wrong:
            sys.stderr.write(f"{wrong}\n")
            return 1
    results = report.page(found, start, repeat)
    sys.stdout.write(results)
    if asked.write:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        README.write_text(f"{before}{BEGIN}\n{results}{END}{after}", encoding="utf-8")
    return 0


def _tell(stage: str) -> None:
    sys.stderr.write(f"{stage}\n")


if __name__ == "__main__":
    sys.exit(main())
