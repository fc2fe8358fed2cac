"""Population by sex and single year of age, carried forward year by year (cohort-component), and its breakdown.

Arrays are sex (m, w) × age (0 to 100, the last one open). The age schedules are models, their level is what was
delivered (docs/methods.md); nothing here reads a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

OLDEST = 100
AGES = np.arange(OLDEST + 1)
BOYS = 0.513
"""Share of boys among the newborn (Statistisches Bundesamt: 105 to 106 boys per 100 girls)."""
MORTALITY_DOUBLES_IN_YEARS = 7.0
"""Gompertz: the rate of dying doubles about every seven years of age."""
MEN_TO_WOMEN = 1.6
"""Ratio of men's to women's mortality at the same age."""
BACKGROUND_MORTALITY = 0.0003
"""What does not rise with age, per person and year."""
MOTHERS_AGE, MOTHERS_AGE_SD = 31.7, 5.4
FERTILE = (AGES >= 15) & (AGES <= 49)


@dataclass(frozen=True)
class Movement:
    """Delivered persons per year of a Kommune (mean), net moves of the variant; factors on what is delivered."""

    births: float
    deaths: float
    net_moves: float
    fertility_factor: float = 1.0
    mortality_change: float = 0.0
    """per year, −0.01: rates fall by one percent a year"""


def single_ages(bands: list[tuple[int, int | None]], counts: np.ndarray) -> np.ndarray:
    """Single years of age from counts of age bands (sex × bands) that cover all ages; each band keeps its count.

    The smoothest curve (least squares of second differences) with these sums up to the open band, which is spread like
    the survivors of a Gompertz law. Below zero a curve is cut off, and its band spread anew.
    """
    ages = np.zeros((len(counts), OLDEST + 1))
    closed = [(start, end) for start, end in bands if end is not None]
    limit = max(end for _, end in closed) + 1
    sums = np.zeros((len(closed), limit))
    for row, (start, last) in enumerate(closed):
        sums[row, start : last + 1] = 1
    bend = np.diff(np.eye(limit), 2, axis=0)
    system = np.block([[bend.T @ bend, sums.T], [sums, np.zeros((len(closed), len(closed)))]])
    for sex in range(len(counts)):
        smooth = np.linalg.solve(system, np.concatenate([np.zeros(limit), counts[sex, : len(closed)]]))[:limit]
        ages[sex, :limit] = np.maximum(smooth, 0)
    survivors = np.exp(-np.cumsum(gompertz(), axis=1))
    ages[:, limit:] = survivors[:, limit:]
    for column, (start, end) in enumerate(bands):
        part = slice(start, OLDEST + 1 if end is None else end + 1)
        total = ages[:, part].sum(axis=1, keepdims=True)
        even = np.full_like(ages[:, part], 1 / ages[:, part].shape[1])
        shape = np.where(total > 0, ages[:, part] / np.where(total > 0, total, 1), even)
        ages[:, part] = shape * counts[:, [column]]
    return ages


def gompertz() -> np.ndarray:
    """Rates of dying by sex and age for women aged 80 dying at 4 percent a year; only their shape is used."""
    women = 0.04 * 2 ** ((AGES - 80) / MORTALITY_DOUBLES_IN_YEARS) + BACKGROUND_MORTALITY
    return np.stack([women * MEN_TO_WOMEN, women])


def fertility() -> np.ndarray:
    """Relative fertility of women by age: a normal curve between 15 and 49."""
    return np.where(FERTILE, np.exp(-0.5 * ((AGES - MOTHERS_AGE) / MOTHERS_AGE_SD) ** 2), 0.0)


def mobility() -> np.ndarray:
    """Relative rates of moving by age: the standard schedule of Rogers and Castro (1981)."""
    children = 0.02 * np.exp(-0.1 * AGES)
    work = 0.06 * np.exp(-0.1 * (AGES - 20) - np.exp(-0.4 * (AGES - 20)))
    return children + work + 0.003


def project(start: np.ndarray, movement: Movement, years: int) -> np.ndarray:
    """Population after 0 … `years` years; shape (years + 1) × sex × age.

    The levels of births and deaths are set so that the first year has the delivered number (times the factor).
    """
    shape = gompertz()
    level = _level(start, shape, movement.deaths)
    children_per_weight = movement.births * movement.fertility_factor / (start[1] * fertility()).sum()
    states = [start]
    for year in range(years):
        now = states[-1]
        dying = 1 - np.exp(-level * shape * (1 + movement.mortality_change) ** year)
        movers = now * mobility()
        moved = now * (1 - dying) + movement.net_moves * movers / movers.sum()
        following = np.zeros_like(now)
        following[:, 1:] = np.maximum(moved[:, :-1], 0)
        following[:, -1] += np.maximum(moved[:, -1], 0)
        newborn = children_per_weight * (now[1] * fertility()).sum()
        following[:, 0] = newborn * np.array([BOYS, 1 - BOYS])
        states.append(following)
    return np.stack(states)


def _level(start: np.ndarray, shape: np.ndarray, deaths: float) -> float:
    """Factor on the rates with which the given number dies in a year."""
    level = deaths / (start * shape).sum()
    for _ in range(20 if deaths else 0):
        level *= deaths / (start * (1 - np.exp(-level * shape))).sum()
    return float(level)


def break_down(parts: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Areas of a Kommune carried along with it: areas × (years + 1) × sex × age, from areas × sex × age and its states.

    Every cohort changes in each area by the factor by which it changes in the Kommune, newborn follow the mothers
    (Hamilton and Perry 1962): areas that sum to the Kommune at the start do so in every year.
    """
    states = [parts]
    for now, following in pairwise(whole):
        carried = np.zeros_like(parts)
        shares = np.divide(states[-1], now, out=np.zeros_like(parts), where=now > 0)
        carried[:, :, 1:] = shares[:, :, :-1] * following[:, 1:]
        ages = now[:, -2:] / np.where(
            now[:, -2:].sum(axis=1, keepdims=True) > 0, now[:, -2:].sum(axis=1, keepdims=True), 1
        )
        carried[:, :, -1] = (shares[:, :, -2:] * ages).sum(axis=2) * following[:, -1]
        mothers, all_mothers = (states[-1][:, 1] * fertility()).sum(axis=1), (now[1] * fertility()).sum()
        carried[:, :, 0] = (mothers / all_mothers if all_mothers > 0 else 0 * mothers)[:, None] * following[:, 0]
        states.append(carried)
    return np.stack(states, axis=1)
