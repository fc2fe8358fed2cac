"""The small published tables that calibrate the demo county.

Reads committed files only (`demo/data`, `seeds`); their sources are in `demo/data/README.md`. No simulation
here.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

DATA = Path(__file__).resolve().parent / "data"
SEEDS = Path(__file__).resolve().parent.parent / "seeds"


class Kommune(NamedTuple):
    """A Kommune as in `seeds/kommunen.csv`; `area_id` is its AGS, `deliverer` its folder in the drop folder."""

    area_id: str
    name: str
    short_name: str
    deliverer: str


class AgeGroup(NamedTuple):
    """Residents of one sex and age group; `below` is exclusive, None for the open group."""

    sex: str
    age_from: int
    below: int | None
    population: int


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@lru_cache(maxsize=1)
def kommunen() -> tuple[Kommune, ...]:
    """The eight Kommunen in their official order."""
    rows = sorted(_rows(SEEDS / "kommunen.csv"), key=lambda row: int(row["sort_order"]))
    return tuple(Kommune(r["area_id"], r["name"], r["short_name"], r["deliverer"]) for r in rows)


@lru_cache(maxsize=1)
def official_population() -> dict[tuple[str, int], int]:
    """Year-end population by (AGS, year)."""
    rows = _rows(SEEDS / "bevoelkerung_amtlich.csv")
    return {(r["area_id"], int(r["year"])): int(r["population"]) for r in rows}


def age_structure(ags: str) -> list[AgeGroup]:
    """Population of a Kommune on 31.12.2015 by sex (m, w) and 17 age groups."""
    return [
        AgeGroup(r["sex"], int(r["age_from"]), int(r["age_below"]) if r["age_below"] else None, int(r["population"]))
        for r in _rows(DATA / "altersstruktur_2015.csv")
        if r["area_id"] == ags
    ]


@lru_cache(maxsize=1)
def sozialraum_profiles() -> pd.DataFrame:
    """By sozialraum_id: einwohner (aim for 2015), deprivation (0 to 1), families and seniors (factors near 1)."""
    return pd.read_csv(DATA / "sozialraum_profil.csv").set_index("sozialraum_id")


def dwellings_2010() -> pd.DataFrame:
    """Dwelling stock on 31.12.2010 by code (DG, 05, 053, Kreis, Kommunen); living space in 1000 m²."""
    return pd.read_csv(DATA / "wohnungen_2010.csv", dtype={"code": str}).set_index("code")


def council_elections() -> list[dict[str, str]]:
    """Council elections 2009, 2014, 2020, one row per election day (`wahltag`, ISO) and Kommune (`area_id`).

    a1, a2, a3, a eligible; b, b1 voters; c invalid; d valid; then votes by party.
    """
    return _rows(DATA / "ratswahlen.csv")
