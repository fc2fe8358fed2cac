"""The linear programme behind the suppression: the cheapest other table that a reader must also hold possible.

Knows one block of cells and atoms, nothing of areas or measures. The search over all blocks is `pattern.py`'s.
"""

from __future__ import annotations

import highspy
import numpy as np
import scipy.sparse as sp

WHOLE = 1e-6
"""How far from a whole number a solution may be and still count as whole."""
FIRST_FOUND = 1e6
"""Relative gap of integer programmes: any solution is good enough."""


class _Quiet(highspy.Highs):
    """Without the callbacks, which nobody needs here, and the banner that enabling them prints."""

    def enableCallbacks(self) -> None:
        """Called by the constructor."""
        self.setOptionValue("output_flag", False)


def model(
    matrix: sp.csr_array,
    cost: np.ndarray,
    column_bounds: tuple[np.ndarray, np.ndarray],
    row_bounds: tuple[np.ndarray, np.ndarray],
) -> highspy.Highs:
    """A HiGHS model: minimise cost @ x, row_bounds[0] ≤ matrix @ x ≤ row_bounds[1]; silent, one thread, repeatable."""
    by_column = sp.csc_array(matrix)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = by_column.shape
    lp.col_cost_ = np.asarray(cost, dtype=float)
    lp.col_lower_, lp.col_upper_ = (np.asarray(b, dtype=float) for b in column_bounds)
    lp.row_lower_, lp.row_upper_ = (np.asarray(b, dtype=float) for b in row_bounds)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = by_column.indptr.astype(np.int32)
    lp.a_matrix_.index_ = by_column.indices.astype(np.int32)
    lp.a_matrix_.value_ = by_column.data.astype(float)
    highs = _Quiet()
    for option, value in (("threads", 1), ("random_seed", 0), ("mip_rel_gap", FIRST_FOUND)):
        highs.setOptionValue(option, value)
    highs.passModel(lp)
    return highs


def solve(highs: highspy.Highs) -> np.ndarray | None:
    """The solution of the relaxation, None if there is none."""
    highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kOptimal:
        return np.array(highs.getSolution().col_value)
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    raise RuntimeError(f"HiGHS: {highs.modelStatusToString(status)}")


def solve_whole(highs: highspy.Highs) -> np.ndarray | None:
    """A solution in whole numbers, the first found (the cheapest is not worth the time); None if there is none."""
    columns = np.arange(highs.getNumCol(), dtype=np.int32)
    basis = highs.getBasis()
    highs.changeColsIntegrality(columns.size, columns, np.full(columns.size, highspy.HighsVarType.kInteger))
    solution = solve(highs)
    highs.changeColsIntegrality(columns.size, columns, np.full(columns.size, highspy.HighsVarType.kContinuous))
    highs.setBasis(basis)
    return None if solution is None else np.round(solution)


def is_whole(values: np.ndarray) -> bool:
    return bool(np.all(np.abs(values - np.round(values)) < WHOLE))


def base_point(matrix: sp.csr_array, values: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Whole atoms ≥ 0, shape (atoms,), that give the known counts as nearly as possible.

    matrix: shape (cells, atoms). values: shape (cells,), NaN where we do not know the count ourselves: it is `least`
    or more.
    Deliveries that contradict themselves are met with the least sum of deviations: a reader can do no better.
    """
    own = _atoms_of_own_cells(matrix, values)
    if own is not None and np.allclose(matrix @ own, values):
        return own
    cells, atoms = matrix.shape
    known = np.flatnonzero(~np.isnan(values))
    deviation = sp.csr_array((np.ones(known.size), (known, np.arange(known.size))), (cells, known.size))
    whole = sp.csr_array(sp.hstack([matrix, deviation, -deviation]))
    highs = model(
        whole,
        np.concatenate([np.zeros(atoms), np.ones(2 * known.size)]),
        (np.zeros(whole.shape[1]), np.full(whole.shape[1], np.inf)),
        (np.where(np.isnan(values), least, values), np.nan_to_num(values, nan=np.inf)),
    )
    solution = solve(highs)
    if solution is not None and not is_whole(solution):
        deviation_then = highs.getInfo().objective_function_value
        columns = np.arange(atoms, whole.shape[1], dtype=np.int32)
        highs.addRow(0.0, np.ceil(deviation_then - WHOLE), columns.size, columns, np.ones(columns.size))
        solution = solve_whole(highs)
    if solution is None:
        raise RuntimeError("HiGHS: no base point in whole numbers")
    return np.round(solution[:atoms])


def _atoms_of_own_cells(matrix: sp.csr_array, values: np.ndarray) -> np.ndarray | None:
    """Atoms read off the cells that consist of one atom each; None if one atom has no such cell."""
    single = np.flatnonzero((np.diff(matrix.indptr) == 1) & ~np.isnan(values))
    own = np.full(matrix.shape[1], np.nan)
    own[matrix.indices[matrix.indptr[single]]] = values[single]
    return None if np.isnan(own).any() or np.isnan(values).any() else own


class Block:
    """Cells and atoms that are solved together; kept warm, since the next question differs in a few bounds only."""

    def __init__(
        self,
        matrix: sp.csr_array,
        atoms: np.ndarray,
        cost: np.ndarray,
        limits: tuple[np.ndarray, np.ndarray],
        differences: sp.csr_array,
    ) -> None:
        """matrix: shape (cells, atoms); atoms: shape (atoms,), the base point; cost: shape (cells,).

        limits: how far each cell may fall and rise, both of shape (cells,); a cell that may do neither is printed.
        differences: shape (pairs, cells), +1 at the whole and −factor at the part of which readers know
        factor · part ≤ whole.
        Variables: the atoms' change d ≥ -atoms, and each movable cell's rise u and fall v, both ≥ 0.
        """
        fall, rise = limits
        movable = (fall > 0) | (rise > 0)
        values = np.array(matrix @ atoms)
        # The atoms of a printed zero are zero.
        stands = np.array(matrix.T @ (~movable & (values == 0)).astype(float)) > 0
        columns = np.flatnonzero(~stands)
        reduced = sp.csr_array(matrix[:, columns])
        has_atoms = np.diff(reduced.indptr) > 0
        rows = np.flatnonzero(has_atoms)
        self.cells = np.flatnonzero(movable & has_atoms)
        self._size, self._n, k = values.size, columns.size, self.cells.size
        self._fall, self._rise = fall[self.cells], rise[self.cells]
        change = sp.csr_array((np.ones(k), (np.searchsorted(rows, self.cells), np.arange(k))), (rows.size, k))
        moved = sp.csr_array(differences[:, self.cells])
        self._highs = model(
            sp.csr_array(
                sp.vstack(
                    [
                        sp.hstack([reduced[rows], -change, change]),
                        sp.hstack([sp.csr_array((moved.shape[0], self._n)), moved, -moved]),
                    ]
                )
            ),
            np.concatenate([np.zeros(self._n), np.tile(cost[self.cells], 2)]),
            (
                np.concatenate([-atoms[columns], np.zeros(2 * k)]),
                np.concatenate([np.full(self._n, np.inf), self._rise, self._fall]),
            ),
            (
                np.concatenate([np.zeros(rows.size), -np.array(differences @ values)]),
                np.concatenate([np.zeros(rows.size), np.full(moved.shape[0], np.inf)]),
            ),
        )
        self._free = np.zeros(k, dtype=bool)
        self._index = np.full(values.size, -1)
        self._index[self.cells] = np.arange(k)

    def move(self, cell: int, by: float, blank: np.ndarray) -> np.ndarray | None:
        """The cheapest change of the cells, shape (cells,), in which `cell` changes by `by`; None if there is none.

        blank: shape (cells,), cells that readers do not see already; they move at no cost.
        """
        own = int(self._index[cell])
        if own < 0 or by > self._rise[own] or -by > self._fall[own]:
            return None
        self._price(blank)
        up, down = self._n + own, self._n + self.cells.size + own
        self._bound(up, max(by, 0.0), self._rise[own] if by > 0 else 0.0)
        self._bound(down, max(-by, 0.0), self._fall[own] if by < 0 else 0.0)
        solution = self._cheapest()
        self._bound(up, 0.0, self._rise[own])
        self._bound(down, 0.0, self._fall[own])
        if solution is None:
            return None
        change = np.zeros(self._size)
        ups, downs = solution[self._n :].reshape(2, -1)
        change[self.cells] = np.round(ups - downs)
        return change

    def _cheapest(self) -> np.ndarray | None:
        """The relaxation's solution if it is whole; else a whole one, if possible of the cells that it moves."""
        relaxed = solve(self._highs)
        if relaxed is None or is_whole(relaxed):
            return relaxed
        lower, upper = (np.array(b) for b in (self._highs.getLp().col_lower_, self._highs.getLp().col_upper_))
        moved = relaxed[self._n :].reshape(2, -1).sum(axis=0) > WHOLE
        stands = self._n + np.flatnonzero(np.tile(~(moved | self._free), 2))
        columns = stands.astype(np.int32)
        self._highs.changeColsBounds(columns.size, columns, np.zeros(columns.size), np.zeros(columns.size))
        solution = solve_whole(self._highs)
        self._highs.changeColsBounds(columns.size, columns, lower[stands], upper[stands])
        return solve_whole(self._highs) if solution is None else solution

    def _bound(self, column: int, low: float, high: float) -> None:
        self._highs.changeColBounds(column, low, high)

    def _price(self, blank: np.ndarray) -> None:
        """Cells that are blank by now cost nothing more."""
        now = blank[self.cells]
        new = np.flatnonzero(now & ~self._free)
        if new.size:
            columns = np.concatenate([self._n + new, self._n + self.cells.size + new]).astype(np.int32)
            self._highs.changeColsCost(columns.size, columns, np.zeros(columns.size))
            self._free |= now
