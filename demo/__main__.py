"""`python -m demo --landing DIR`: write the demo county's deliveries. Arguments only; the work is in `deliveries`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo import DEMO_VERSION
from demo.deliveries import FEEDS, write_deliveries


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description=f"Schreibt die Lieferungen des synthetischen Demo-Kreises (Fassung {DEMO_VERSION}).",
    )
    parser.add_argument("--landing", type=Path, required=True, metavar="ORDNER", help="Eingangsordner")
    parser.add_argument("--year", type=int, action="append", metavar="JAHR", help="nur dieses Jahr (mehrfach möglich)")
    parser.add_argument("--feed", action="append", choices=FEEDS, help="nur dieser Feed (mehrfach möglich)")
    parser.add_argument(
        "--scale", type=float, default=1.0, metavar="ANTEIL", help="kleinerer Kreis zum Probieren, z. B. 0.02"
    )
    arguments = parser.parse_args()
    try:
        write_deliveries(
            arguments.landing,
            years=arguments.year,
            only=set(arguments.feed) if arguments.feed else None,
            progress=lambda line: print(line, flush=True),  # noqa: T201
            scale=arguments.scale,
        )
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
