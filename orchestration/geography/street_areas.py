"""Sozialräume from a street list: which addresses each rule means, and the areas that follow from them.

A rule is a street, house numbers from and to, one side or both, and the Sozialraum. Every place of the Kommune belongs
to the Sozialraum of the nearest address (Voronoi cells, clipped to the Kommune's border). What a delivered list lacks
is the gate's business (gates/street_rules.py).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.street_lists import MEANT, prepare
from orchestration.geography.coverage import examine
from orchestration.home import Home
from orchestration.sql import literal, single_threaded

FEED, ADDRESSES, BORDERS = "sozialraum_strassen", "adressen", "gemeindegrenzen"
DERIVED = "aus Straßenverzeichnis"
"""`geometry_source` of such areas."""


def derived_areas(meant: pd.DataFrame, border: shapely.Geometry) -> tuple[list[str], np.ndarray]:
    """Ids and areas (EPSG:25832) of one Kommune: a valid coverage that fills its border.

    `meant`: ostwert, nordwert, sozialraum_id of addresses. An address that several rules mean goes to the lowest id.
    """
    points = meant.sort_values(["ostwert", "nordwert", "sozialraum_id"]).drop_duplicates(["ostwert", "nordwert"])
    ids, owner = np.unique(points["sozialraum_id"].to_numpy(str), return_inverse=True)
    if len(ids) == 1:
        return list(ids), np.array([border])
    places = shapely.multipoints(points[["ostwert", "nordwert"]].to_numpy(float))
    cells = shapely.get_parts(shapely.voronoi_polygons(places, extend_to=border, ordered=True))
    whole = np.array([shapely.coverage_union_all(cells[owner == number]) for number in range(len(ids))])
    areas = shapely.intersection(whole, border)
    return list(ids), examine(areas, list(ids)).shapes


def street_area_paths(home: Home) -> dict[tuple[str, int], Path]:
    """(deliverer, year) → raw Parquet of the areas derived from the street list in force."""
    from orchestration.gates.directory import accepted_raw

    paths = {key: _target(home, path) for key, path in accepted_raw(home, FEED).items()}
    return {key: path for key, path in paths.items() if path.exists()}


def write_street_areas(home: Home) -> list[str]:
    """Derive areas for every street list in force; gives a German line for each that could not be.

    They lie beside the delivered ones (`raw/sozialraeume/`), under the id of the list's delivery.
    """
    from orchestration.gates.directory import accepted_raw, write_parquet

    undone = []
    registers, borders = accepted_raw(home, ADDRESSES), accepted_raw(home, BORDERS)
    for (slug, year), path in sorted(accepted_raw(home, FEED).items()):
        register, border = _of_year(registers, year), _of_year(borders, year)
        if register is None or border is None:
            lacking = "Adressverzeichnis" if register is None else "Gemeindegrenze"
            undone.append(f"Straßenverzeichnis {slug} {year}: nicht ableitbar, in Kraft ist kein(e) {lacking}")
            _target(home, path).unlink(missing_ok=True)
            continue
        write_parquet(_areas_of(path, register, border), _target(home, path))
    return undone


def _target(home: Home, path: Path) -> Path:
    return home.raw / "sozialraeume" / path.parent.name / path.name


def _of_year(paths: dict[tuple[str, int], Path], year: int) -> Path | None:
    """What is in force for the last year until that one, else for the first."""
    by_year = {key[1]: path for key, path in sorted(paths.items())}
    if not by_year:
        return None
    return by_year[max((y for y in by_year if y <= year), default=min(by_year))]


def _areas_of(path: Path, register: Path, border: Path) -> pa.Table:
    from orchestration.feeds.reader import raw_schema

    with single_threaded() as connection:
        rules = connection.execute(f"from read_parquet({literal(path)})").to_arrow_table()
        prepare(connection, rules, [register])
        statement = f"select * from ({MEANT}) where sozialraum_id is not null order by ags, ostwert, nordwert, zeile"
        meant = connection.execute(statement).df()
        names = dict(connection.execute("select sozialraum_id, min(name) from rules group by all").fetchall())
        edges = dict(connection.execute(f"select ags, geometry_wkb from read_parquet({literal(border)})").fetchall())
    [ags] = set(rules["ags"].to_pylist())
    ids, shapes = derived_areas(meant, shapely.from_wkb(bytes(edges[ags])))
    head = {name: rules[name][0].as_py() for name in ("delivery_id", "deliverer", "delivery_year")}
    valid_from = dt.date(head["delivery_year"], 1, 1)
    rows = [
        {
            **head,
            "zeile": number,
            "sozialraum_id": area,
            "name": names[area],
            "ags": ags,
            "valid_from": valid_from,
            "is_synthetic": False,
            "area_sqm": float(shapely.area(shape)),
            "geometry_wkb": shapely.to_wkb(shape, byte_order=1),
            "geometry_source": DERIVED,
        }
        for number, (area, shape) in enumerate(zip(ids, shapes, strict=True), start=1)
    ]
    return pa.Table.from_pylist(rows, schema=raw_schema(load_feeds()["sozialraeume"]))
