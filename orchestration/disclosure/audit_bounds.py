"""What a reader can work out about blanks: the feasible range of each, in whole numbers, over a system of inequalities.

Knows rows and columns only. Bounds are tightened row by row first; what that leaves open is solved as a linear
programme per connected component, and as an integer programme where the relaxation is not whole. Written for the audit
alone: nothing here is used to decide what becomes blank.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import highspy
import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

EPSILON = 1e-6
MAX_ROUNDS = 200


@dataclass
class System:
    """row_low ≤ rows @ x ≤ row_high with whole x ≥ 0."""

    rows: sp.csr_array
    row_low: np.ndarray
    row_high: np.ndarray
    is_soft: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=bool))
    """shape (rows,), rows that only hold if the numbers do not contradict them"""

    def __post_init__(self) -> None:
        if not self.is_soft.size:
            self.is_soft = np.zeros(self.rows.shape[0], dtype=bool)


def with_rows(system: System, rows: sp.csr_array, at_least: np.ndarray) -> System:
    """The same with further rows of which only the least is known."""
    return System(
        sp.csr_array(sp.vstack([system.rows, rows])),
        np.concatenate([system.row_low, at_least]),
        np.concatenate([system.row_high, np.full(rows.shape[0], np.inf)]),
        np.concatenate([system.is_soft, np.zeros(rows.shape[0], dtype=bool)]),
    )


Enough = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(numbers of targets, low, high that were attained) -> True where no more needs to be known."""


class Contradiction(RuntimeError):
    """No table of whole numbers agrees with all that is printed."""


@dataclass
class Ranges:
    """Attained ranges of the targets, shape (targets,); exact wherever they were not enough."""

    low: np.ndarray
    high: np.ndarray
    contradictions: int
    """components whose published numbers contradict each other; they were met with the least deviation"""


def ranges(system: System, targets: sp.csr_array, enough: Enough | None = None) -> Ranges:
    """The range of each target (shape (targets, columns), coefficients ≥ 0); without `enough` the exact one.

    Infinity is a legal upper end.
    """
    contradictions, is_met = 0, np.zeros(system.rows.shape[0], bool)
    while True:
        found, broken = _attained(system, targets, enough)
        if found is not None:
            return Ranges(*found, contradictions)
        if is_met[broken].any():
            raise RuntimeError("Die veröffentlichten Zahlen widersprechen einander auch nach dem Ausgleich.")
        system, parts = _reconciled(system, broken)
        contradictions += len(parts)
        is_met[np.concatenate(parts)] = True


def _attained(
    system: System, targets: sp.csr_array, enough: Enough | None
) -> tuple[tuple[np.ndarray, np.ndarray] | None, np.ndarray]:
    """Attained low and high of the targets, or None if rows contradict each other; and which ones do."""
    lower, upper, broken = tighten(system)
    if broken.any():
        return None, broken
    low, high = targets @ lower, _activity(targets, upper)
    open_column = upper - lower > 0.5
    # What propagation fixes needs no programme.
    reach = sp.csr_array(targets[:, np.flatnonzero(open_column)])
    pending = np.flatnonzero(np.diff(reach.indptr) > 0)
    for component in _components(system, targets, pending, lower, upper, open_column):
        try:
            low[component.targets], high[component.targets] = component.solve(enough)
        except Contradiction:
            broken[component.row_numbers] = True
    return None if broken.any() else (low, high), broken


def is_possible(system: System) -> bool:
    """Is there any table, of whatever numbers ≥ 0, that agrees with all rows but the soft ones?"""
    hard = np.flatnonzero(~system.is_soft)
    rows = sp.csr_array(system.rows[hard])
    bounds = (np.zeros(rows.shape[1]), np.full(rows.shape[1], np.inf))
    highs = _model(rows, (system.row_low[hard], system.row_high[hard]), bounds)
    highs.run()
    return bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def tighten(system: System) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds of the columns that single rows imply, repeated until nothing moves; and the rows that cannot hold."""
    entry = sp.coo_array(system.rows)
    row, column, factor = entry.row, entry.col, entry.data
    n_rows, n = system.rows.shape
    lower, upper = np.zeros(n), np.full(n, np.inf)
    positive = factor > 0
    broken = np.zeros(n_rows, dtype=bool)
    for _ in range(MAX_ROUNDS):
        least = np.where(positive, factor * lower[column], _times(factor, upper[column]))
        most = np.where(positive, _times(factor, upper[column]), factor * lower[column])
        low_rest = _without_own(least, row, n_rows, -np.inf)
        high_rest = _without_own(most, row, n_rows, np.inf)
        # factor * x ≤ row_high - least of the others; factor * x ≥ row_low - most of the others
        top = (system.row_high[row] - low_rest) / factor
        bottom = (system.row_low[row] - high_rest) / factor
        new_upper, new_lower = upper.copy(), lower.copy()
        np.minimum.at(new_upper, column, np.where(positive, top, bottom))
        np.maximum.at(new_lower, column, np.where(positive, bottom, top))
        with np.errstate(invalid="ignore"):
            new_upper = np.floor(new_upper + EPSILON)
            new_lower = np.ceil(new_lower - EPSILON)
        crossed = new_lower > new_upper
        if crossed.any():
            broken[row[crossed[column]]] = True
            return lower, upper, broken
        if np.array_equal(new_upper, upper) and np.array_equal(new_lower, lower):
            break
        lower, upper = new_lower, new_upper
    least = np.bincount(row, np.where(positive, factor * lower[column], _times(factor, upper[column])), n_rows)
    most = np.bincount(row, np.where(positive, _times(factor, upper[column]), factor * lower[column]), n_rows)
    return lower, upper, (least > system.row_high + EPSILON) | (most < system.row_low - EPSILON)


def _times(factor: np.ndarray, bound: np.ndarray) -> np.ndarray:
    return np.where(np.isinf(bound), np.sign(factor) * np.inf, factor * np.where(np.isinf(bound), 0.0, bound))


def _without_own(part: np.ndarray, row: np.ndarray, n_rows: int, infinite: float) -> np.ndarray:
    """Per entry the sum of its row's other entries; `infinite` if one of them is."""
    is_infinite = np.isinf(part)
    finite = np.where(is_infinite, 0.0, part)
    others = np.bincount(row, finite, n_rows)[row] - finite
    infinite_others = np.bincount(row, is_infinite, n_rows)[row] - is_infinite
    return np.where(infinite_others > 0, infinite, others)


def _activity(targets: sp.csr_array, upper: np.ndarray) -> np.ndarray:
    finite = targets @ np.where(np.isinf(upper), 0.0, upper)
    return np.where(targets @ np.isinf(upper).astype(float) > 0, np.inf, finite)


def _reconciled(system: System, broken: np.ndarray) -> tuple[System, list[np.ndarray]]:
    """The system with the row bounds moved as little as possible so that it can hold; soft rows give way first.

    And the rows of each part that hangs together with a broken one.
    """
    row_label, column_label, _ = _label(system.rows)
    row_low, row_high = system.row_low.copy(), system.row_high.copy()
    parts = [np.flatnonzero(row_label == label) for label in np.unique(row_label[broken])]
    for rows in parts:
        columns = np.flatnonzero(column_label == row_label[rows[0]])
        part = sp.csr_array(system.rows[rows][:, columns])
        eye = sp.eye_array(rows.size)
        weight = np.where(system.is_soft[rows], 1e-3, 1.0)
        highs = _model(
            sp.csr_array(sp.hstack([part, eye, -eye])),
            (row_low[rows], row_high[rows]),
            (np.zeros(columns.size + 2 * rows.size), np.full(columns.size + 2 * rows.size, np.inf)),
        )
        _set_cost(highs, np.concatenate([np.zeros(columns.size), weight, weight]))
        solution = _optimum(highs)
        atoms = solution[: columns.size]
        if _is_fraction(atoms).any():
            solution = _optimum(highs, whole=columns.size)
        up, down = solution[columns.size :].reshape(2, -1)
        row_low[rows] += down - up
        row_high[rows] += down - up
        gives_way = rows[(up + down > EPSILON) & system.is_soft[rows]]
        row_low[gives_way], row_high[gives_way] = -np.inf, np.inf
    return System(system.rows, row_low, row_high, system.is_soft), parts


@dataclass
class _Component:
    """A part of the system that hangs together, after what is fixed has been taken out."""

    rows: sp.csr_array
    row_numbers: np.ndarray
    row_bounds: tuple[np.ndarray, np.ndarray]
    column_bounds: tuple[np.ndarray, np.ndarray]
    targets: np.ndarray
    expression: sp.csr_array
    constant: np.ndarray

    def solve(self, enough: Enough | None) -> tuple[np.ndarray, np.ndarray]:
        """Attained low and high of each target. Raises Contradiction."""
        # HiGHS does not always recognise an objective without end: far above all that is printed stands for it.
        self._endless = 1000 + 10 * max(_largest(bounds) for bounds in (*self.row_bounds, *self.column_bounds))
        self._capped = np.minimum(self.column_bounds[1], self._endless)
        self._highs = _model(self.rows, self.row_bounds, (self.column_bounds[0], self._capped))
        self._low = np.full(self.targets.size, np.inf)
        self._high = np.full(self.targets.size, -np.inf)
        if enough is not None:
            self._sweep(enough)
        is_open = np.ones(self.targets.size, bool) if enough is None else ~self._enough(enough)
        for target in np.flatnonzero(is_open):
            for sign in (-1.0, 1.0):
                if enough is None or not self._enough(enough, slice(target, target + 1))[0]:
                    self._extreme(int(target), sign)
        return self._low, np.where(self._high >= self._endless, np.inf, self._high)

    def _enough(self, enough: Enough, at: slice = slice(None)) -> np.ndarray:
        low, high = self._low[at], self._high[at]
        return (high >= low) & enough(self.targets[at], low, high)

    def _sweep(self, enough: Enough) -> None:
        """Tables that raise or lower many open targets at once, as long as that settles some."""
        rng = np.random.default_rng(0)
        settled = -1
        while True:
            is_open = ~self._enough(enough)
            if not is_open.any() or (~is_open).sum() <= settled:
                return
            settled = int((~is_open).sum())
            for _ in range(4):
                weight = is_open * rng.uniform(-1.0, 1.0, is_open.size)
                self._record(self._near(self._programme(self.expression.T @ weight)))

    def _extreme(self, target: int, sign: float) -> None:
        """The least (sign -1) or greatest (+1) value of one target, whole, and attained."""
        objective = -sign * self.expression[[target]].toarray().ravel()
        if not self._record(self._programme(objective)):
            # The relaxation is not tight: only whole tables count.
            self._record(_optimum(self._highs, whole=self.rows.shape[1]))

    def _near(self, solution: np.ndarray) -> np.ndarray:
        """A table of whole numbers near a solution: one fraction after the other is fixed; whole or given up."""
        fixed: list[int] = []
        while (fractions := np.flatnonzero(_is_fraction(solution))).size:
            column = int(fractions[0])
            fixed.append(column)
            for value in (np.floor(solution[column]), np.ceil(solution[column])):
                self._highs.changeColBounds(column, value, value)
                self._highs.run()
                if self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                    break
            else:
                break
            solution = np.array(self._highs.getSolution().col_value)
        for column in fixed:
            self._highs.changeColBounds(column, self.column_bounds[0][column], self._capped[column])
        return solution

    def _programme(self, objective: np.ndarray) -> np.ndarray:
        _set_cost(self._highs, objective)
        return _optimum(self._highs)

    def _record(self, solution: np.ndarray) -> bool:
        """Note what the targets are in this table; False if it is not one of whole numbers."""
        if _is_fraction(solution).any():
            return False
        value = self.constant + self.expression @ np.round(solution)
        self._low, self._high = np.minimum(self._low, value), np.maximum(self._high, value)
        return True


def _components(
    system: System,
    targets: sp.csr_array,
    pending: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    open_column: np.ndarray,
) -> list[_Component]:
    columns = np.flatnonzero(open_column)
    fixed = np.where(open_column, 0.0, lower)
    left = sp.csr_array(system.rows[:, columns])
    base = system.rows @ fixed
    rows = np.flatnonzero(np.diff(left.indptr) > 1)
    left = sp.csr_array(left[rows])
    wanted = sp.csr_array(targets[pending][:, columns])
    constant = targets[pending] @ fixed
    row_label, column_label, count = _label(sp.csr_array(sp.vstack([left, wanted])))
    components = []
    by_row, by_column = _grouped(row_label[: rows.size], count), _grouped(column_label, count)
    for own_rows, own_columns, own in zip(by_row, by_column, _grouped(row_label[rows.size :], count), strict=True):
        if own.size:
            at = columns[own_columns]
            shift = base[rows[own_rows]]
            components.append(
                _Component(
                    sp.csr_array(left[own_rows][:, own_columns]),
                    rows[own_rows],
                    (system.row_low[rows[own_rows]] - shift, system.row_high[rows[own_rows]] - shift),
                    (lower[at], upper[at]),
                    pending[own],
                    sp.csr_array(wanted[own][:, own_columns]),
                    constant[own],
                )
            )
    return components


def _label(rows: sp.csr_array) -> tuple[np.ndarray, np.ndarray, int]:
    m, n = rows.shape
    graph = sp.block_array([[sp.coo_array((m, m)), rows], [None, sp.coo_array((n, n))]])
    count, label = connected_components(graph, directed=False)
    return label[:m], label[m:], int(count)


def _grouped(label: np.ndarray, count: int) -> list[np.ndarray]:
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(1, count)))


class _Quiet(highspy.Highs):
    """Without the callbacks, which nobody needs here, and the banner that enabling them prints."""

    def enableCallbacks(self) -> None:
        """Called by the constructor."""
        self.setOptionValue("output_flag", False)


def _model(
    rows: sp.csr_array, row_bounds: tuple[np.ndarray, np.ndarray], column_bounds: tuple[np.ndarray, np.ndarray]
) -> highspy.Highs:
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = rows.shape
    lp.col_cost_ = np.zeros(rows.shape[1])
    lp.row_lower_, lp.row_upper_ = row_bounds
    lp.col_lower_, lp.col_upper_ = column_bounds
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = rows.indptr.astype(np.int32), rows.indices.astype(np.int32)
    lp.a_matrix_.value_ = rows.data.astype(float)
    highs = _Quiet()
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.5)
    highs.passModel(lp)
    return highs


def _set_cost(highs: highspy.Highs, cost: np.ndarray) -> None:
    highs.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), np.asarray(cost, dtype=float))


def _optimum(highs: highspy.Highs, whole: int = 0) -> np.ndarray:
    """An optimal solution, in which the first `whole` columns are whole numbers. Raises Contradiction if none is."""
    columns = np.arange(whole, dtype=np.int32)
    if whole:
        highs.changeColsIntegrality(whole, columns, np.full(whole, highspy.HighsVarType.kInteger))
    highs.run()
    status = highs.getModelStatus()
    solution = np.array(highs.getSolution().col_value)
    if whole:
        highs.changeColsIntegrality(whole, columns, np.full(whole, highspy.HighsVarType.kContinuous))
    if status == highspy.HighsModelStatus.kInfeasible:
        raise Contradiction
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS: {highs.modelStatusToString(status)}")
    return solution


def _is_fraction(values: np.ndarray) -> np.ndarray:
    return np.abs(values - np.round(values)) > EPSILON


def _largest(bounds: np.ndarray) -> float:
    return float(np.abs(bounds[np.isfinite(bounds)]).max(initial=0.0))
