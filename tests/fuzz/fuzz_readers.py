"""Coverage-guided fuzzing of the readers with Atheris: `python tests/fuzz/fuzz_readers.py -max_total_time=600`.

Libfuzzer's options apply; a folder as argument keeps the corpus. The first byte of an input chooses the format, the
rest is the file. A crash is an exception in a reader, or a reading that has neither a table nor an error.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["orchestration.feeds"]):
    from orchestration.feeds.reader import READERS, read_delivery

from tests.fixtures.hostile.samples import samples

# The parser of XLS takes any memory (a ring of sectors): only the reading room bounds it, and here is none.
FORMATS = sorted(set(READERS) - {"xls"})
AGREED = {format_name: cases[0][:2] for format_name, cases in samples().items()}


def one_input(data: bytes) -> None:
    """What libfuzzer calls; only Python that is ours is instrumented, the parsers are along for the ride."""
    if not data:
        return
    reading = read_delivery(data[1:], *AGREED[FORMATS[data[0] % len(FORMATS)]])
    if reading.table is None and not any(finding.is_error for finding in reading.findings):
        raise AssertionError("neither a table nor an error")


def main() -> None:
    with tempfile.TemporaryDirectory() as seeds:
        for format_name in FORMATS:
            for number, (_, _, data) in enumerate(samples()[format_name]):
                seed = bytes([FORMATS.index(format_name)]) + data
                Path(seeds, f"{format_name}-{number}").write_bytes(seed)
        atheris.Setup([*sys.argv, seeds], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
