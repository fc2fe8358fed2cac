"""The small published tables that calibrate the demo county, as data frames.

Reads committed files only (`demo/data`, `seeds`); their sources are in `demo/data/README.md`. No simulation here.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DATA = Path(__file__).resolve().parent / "data"
SEEDS = Path(__file__).resolve().parent.parent / "seeds"


def kommunen() -> pd.DataFrame:
    """The eight Kommunen in their official order: area_id, name, short_name, deliverer."""
    return pd.read_csv(SEEDS / "kommunen.csv", dtype={"area_id": str}).sort_values(
        "sort_order", ignore_index=True
    )


def official_population() -> pd.DataFrame:
    """Year-end population: area_id, year, population."""
    frame = pd.read_csv(SEEDS / "bevoelkerung_amtlich.csv", dtype={"area_id": str})
    return frame[["area_id", "year", "population"]]


def age_structure() -> pd.DataFrame:
    """Population on 31.12.2015: area_id, sex (m|w), age_from, age_below (exclusive; missing = open), population."""
    return pd.read_csv(DATA / "altersstruktur_2015.csv", dtype={"area_id": str, "age_below": "Int64"})


def sozialraum_profiles() -> pd.DataFrame:
    """Per sozialraum_id: einwohner (aim for 2015), deprivation (0 to 1), families and seniors (factors around 1)."""
    return pd.read_csv(DATA / "sozialraum_profil.csv")


def dwellings_2010() -> pd.DataFrame:
    """Dwelling stock on 31.12.2010 by region (DG, 05, 053, Kreis, Kommunen); living space in 1000 m²."""
    return pd.read_csv(DATA / "wohnungen_2010.csv", dtype={"code": str})


def council_elections() -> pd.DataFrame:
    """Council elections 2009, 2014, 2020 by Kommune: A eligible, B voters, C invalid, D valid, and votes by party."""
    return pd.read_csv(DATA / "ratswahlen.csv", dtype={"area_id": str}, parse_dates=["wahltag"])
