"""The projection of all Kommunen as one long table: which figures go in, which groups come out.

Reads protected figures only: published population cells, delivered births, deaths and moves of the Kommunen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from orchestration.analysis.projection import AGES, Movement, break_down, project, single_ages

GROUPS = {
    "gesamt": AGES >= 0,
    "unter_15": AGES < 15,
    "15_bis_64": (AGES >= 15) & (AGES < 65),
    "ab_65": AGES >= 65,
    "ab_80": AGES >= 80,
}
CARE = "pflegebeduerftig"
PARTITION = [(0, 17), (18, 64), (65, 79), (80, None)]
"""Ages of the four groups that the published counts of a Sozialraum (gesamt, unter_18, ab_65, ab_80) lead to."""
ROUNDED_TO = 10
FLOWS = ["geburten", "sterbefaelle", "zuzuege", "fortzuege"]
COLUMNS = ["area_id", "year", "variant", "projected_group", "value", "base_year", "base_value", "value_status"]


@dataclass(frozen=True)
class Course:
    """One area and variant: states of the years from `first` on (years × sex × age), or why there are none."""

    area_id: str
    variant: str
    first: int
    states: np.ndarray | None
    status: str


def projection(
    cells: pd.DataFrame,
    counts: pd.DataFrame,
    variants: pd.DataFrame,
    years: list[int],
    care_rates: pd.DataFrame,
    kreis: str,
) -> pd.DataFrame:
    """COLUMNS for the Kreis, its Kommunen and Sozialräume; values rounded to tens, NaN with the reason in value_status.

    cells: area_id (Kommune), year, age_from, age_to, sex, population (NaN where not published), value_status.
    counts: area_id, level, kommune_id, year, role, value, value_status; roles as in seeds/projection_measures.csv.
    """
    kommunen = sorted(counts.loc[counts["level"] == "kommune", "area_id"].unique())
    courses: list[Course] = []
    for kommune in kommunen:
        own = counts[(counts["area_id"] == kommune) | (counts["kommune_id"] == kommune)]
        courses += _of_kommune(kommune, cells[cells["area_id"] == kommune], own, variants, max(years))
    base = max((course.first for course in courses if course.states is not None), default=0)
    courses += [_sum(kreis, courses, kommunen, variant, base) for variant in variants["variant"]]
    return _table(courses, base, _delivered_care(counts, kreis), years, care_rates, kreis)


def _of_kommune(
    kommune: str, cells: pd.DataFrame, counts: pd.DataFrame, variants: pd.DataFrame, last: int
) -> list[Course]:
    """The Kommune and its Sozialräume, each in every variant."""
    parts = sorted(counts.loc[counts["level"] == "sozialraum", "area_id"].unique())
    flows = _flows(counts[counts["level"] == "kommune"])
    first, start = _start(cells)
    if start is None or flows.empty:
        status = "suppressed" if start is None and (cells["value_status"] == "suppressed").any() else "not_computable"
        return [Course(area, variant, 0, None, status) for area in [kommune, *parts] for variant in variants["variant"]]
    groups = _groups(counts[(counts["level"] == "sozialraum") & (counts["year"] == first)], parts)
    persons = {area: found for area, found in groups.items() if not isinstance(found, str)}
    known = list(persons)
    within = np.stack([_spread(persons[area], start) for area in known]) if known else None
    courses = []
    for variant in variants.itertuples():
        whole = project(start, _movement(flows, variant), last - first)
        courses.append(Course(kommune, str(variant.variant), first, whole, "ok"))
        below = list(break_down(within, whole)) if within is not None else []
        courses += [Course(area, str(variant.variant), first, s, "ok") for area, s in zip(known, below, strict=True)]
        courses += [
            Course(area, str(variant.variant), first, None, str(groups[area])) for area in parts if area not in known
        ]
    return courses


def _flows(counts: pd.DataFrame) -> pd.DataFrame:
    """Births, deaths and moves of the years in which all are published."""
    return counts.pivot(index="year", columns="role", values="value").reindex(columns=FLOWS).dropna()


def _movement(flows: pd.DataFrame, variant: Any) -> Movement:
    net = float((flows["zuzuege"] - flows["fortzuege"]).mean())
    return Movement(
        flows["geburten"].mean(),
        flows["sterbefaelle"].mean(),
        net + abs(net) * variant.moves_change_percent / 100,
        variant.fertility_factor,
        variant.mortality_change_percent / 100,
    )


def _start(cells: pd.DataFrame) -> tuple[int, np.ndarray | None]:
    """Newest year whose cells are all published, and its population by sex and single age."""
    whole = cells.groupby("year")["population"].agg(["size", "count"])
    complete = whole.index[whole["size"] == whole["count"]]
    if not len(complete):
        return 0, None
    newest = cells[cells["year"] == complete.max()]
    table = newest.pivot(index="sex", columns="age_from", values="population").sort_index().sort_index(axis=1)
    ends = newest.drop_duplicates("age_from").set_index("age_from")["age_to"]
    bands = [(int(a), None if pd.isna(ends[a]) else int(ends[a])) for a in table.columns]
    return int(complete.max()), single_ages(bands, table.to_numpy(float))


def _groups(counts: pd.DataFrame, parts: list[str]) -> dict[str, np.ndarray | str]:
    """Persons in PARTITION of each Sozialraum, or why they are not known."""
    found: dict[str, np.ndarray | str] = dict.fromkeys(parts, "not_computable")
    for area, rows in counts.groupby("area_id"):
        by_role = rows.set_index("role")
        if (rows["value_status"] == "suppressed").any():
            found[str(area)] = "suppressed"
        elif {"gesamt", "unter_18", "ab_65", "ab_80"} <= set(by_role["value"].dropna().index):
            total, young, old, oldest = by_role["value"].loc[["gesamt", "unter_18", "ab_65", "ab_80"]]
            found[str(area)] = np.array([young, total - young - old, old - oldest, oldest], dtype=float)
    return found


def _spread(groups: np.ndarray, kommune: np.ndarray) -> np.ndarray:
    """Persons of the four groups over sex and age as in the Kommune."""
    ages = np.zeros_like(kommune)
    for persons, (start, end) in zip(groups, PARTITION, strict=True):
        part = slice(start, None if end is None else end + 1)
        total = kommune[:, part].sum()
        ages[:, part] = kommune[:, part] * (persons / total if total > 0 else 0)
    return ages


def _sum(kreis: str, courses: list[Course], kommunen: list[str], variant: str, base: int) -> Course:
    parts = [c for c in courses if c.area_id in kommunen and c.variant == variant]
    if any(part.states is None for part in parts):
        worst = "suppressed" if any(part.status == "suppressed" for part in parts) else "not_computable"
        return Course(kreis, variant, base, None, worst)
    states = np.sum([part.states[base - part.first :] for part in parts if part.states is not None], axis=0)
    return Course(kreis, variant, base, states, "ok")


def _delivered_care(counts: pd.DataFrame, kreis: str) -> float:
    """Newest delivered number of people in need of care of the whole Kreis; NaN where there is none."""
    rows = counts[(counts["area_id"] == kreis) & (counts["role"] == "pflege")].dropna(subset=["value"])
    return float(rows.sort_values("year")["value"].iloc[-1]) if len(rows) else np.nan


def _rates(care_rates: pd.DataFrame) -> np.ndarray:
    rates = np.zeros((2, len(AGES)))
    filled = care_rates.fillna({"age_to": AGES[-1]})
    ages = zip(filled["age_from"].astype(int), filled["age_to"].astype(int), strict=True)
    for (start, end), sex, percent in zip(ages, filled["sex"], filled["percent"].astype(float), strict=True):
        rates[0 if sex == "m" else 1, start : end + 1] = percent / 100
    return rates


def _table(
    courses: list[Course],
    base: int,
    delivered_care: float,
    years: list[int],
    care_rates: pd.DataFrame,
    kreis: str,
) -> pd.DataFrame:
    rates = _rates(care_rates)
    # The delivered number of the Kreis sets the level; the rates of Germany say only how need rises with age.
    whole = next((c.states[0] for c in courses if c.area_id == kreis and c.states is not None), None)
    level = delivered_care / (whole * rates).sum() if whole is not None else np.nan
    rows = []
    for course in courses:
        for group in [*GROUPS, CARE]:
            for year in years:
                value = start = np.nan
                if course.states is not None:
                    value, start = (_count(course, y, group, level * rates) for y in (year, base))
                known = not np.isnan(value)
                status = "ok" if known else course.status if course.status != "ok" else "not_computable"
                rows.append(
                    (course.area_id, year, course.variant, group, value, base if known else None, start, status)
                )
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"base_year": "float64"})
    return table.sort_values(COLUMNS[:4], ignore_index=True)


def _count(course: Course, year: int, group: str, care: np.ndarray) -> float:
    """Persons of a group in a year, to tens: more digits would feign a precision that no projection has."""
    assert course.states is not None
    state = course.states[year - course.first]
    persons = (state * care).sum() if group == CARE else state[:, GROUPS[group]].sum()
    return float(np.round(persons / ROUNDED_TO) * ROUNDED_TO)
