"""Which cells must be blank so that no reader of all published numbers together can tell a small count.

Pure and deterministic: arrays in, a mask out. Every small count gets a witness: another table of whole numbers that
agrees with everything published and differs from it only in blanks, where the count is not small. A later blank can
only make more tables possible, so no witness is ever lost and nothing has to be checked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from orchestration.disclosure.atoms import Relations
from orchestration.disclosure.lp import Block, base_point


@dataclass(frozen=True)
class Counts:
    """The published counts of one release, all of shape (cells,)."""

    values: np.ndarray
    """the counts; NaN where the deliverer keeps it from us"""
    minimum: np.ndarray
    """the smallest count that may be shown; 0 where a count protects nobody"""
    zeros_shown: np.ndarray
    """whether a zero may be printed; where it may, readers know that a blank is at least 1"""
    width: np.ndarray
    """how far apart the possible values of a blank have to be at least that need not be small"""
    cost: np.ndarray
    """what blanking the cell costs the reader"""
    stays_blank: np.ndarray
    """arrived suppressed, blank in an earlier release, or secret for another reason than its size"""
    told: np.ndarray
    """printed with this value in an earlier release: blanking it would hide nothing"""

    @property
    def is_small(self) -> np.ndarray:
        return (self.values < self.minimum) & ((self.values > 0) | ~self.zeros_shown)

    def of(self, cells: np.ndarray) -> Counts:
        return Counts(**{field.name: getattr(self, field.name)[cells] for field in fields(self)})


class GivenAway(ValueError):
    """Small counts that earlier releases have told, or told so much of that nothing protects them."""

    def __init__(self, cells: np.ndarray) -> None:
        super().__init__(cells)
        self.cells = cells


@dataclass(frozen=True)
class Part:
    """What hangs together and nothing else: a problem of its own."""

    cells: np.ndarray
    """positions of its cells among all, sorted"""
    counts: Counts
    relations: Relations
    blank: np.ndarray
    """shape (cells,), what has to be blank from the start"""


Each = Callable[[Callable[[Part], np.ndarray], list[Part]], Iterable[np.ndarray]]
"""The function's result for every part, in their order: `map`, or processes side by side."""


def suppress(counts: Counts, relations: Relations, each: Each = map) -> np.ndarray:
    """Shape (cells,), True where the cell must be blank.

    Raises GivenAway.
    """
    if (counts.is_small & counts.told).any():
        raise GivenAway(np.flatnonzero(counts.is_small & counts.told))
    blank = (counts.stays_blank | np.isnan(counts.values) | counts.is_small) & ~counts.told
    parts = [part for part in _parts(counts, relations, blank) if part.blank.any()]
    for part, found in zip(parts, each(blanks_of, parts), strict=True):
        blank[part.cells] = found
    return blank


def blanks_of(part: Part) -> np.ndarray:
    """Shape (cells,), True where a cell of the part must be blank."""
    return _Search(part).run()


class _Search:
    """One part: its base point, the range that the witnesses span, and the blanks so far."""

    def __init__(self, part: Part) -> None:
        counts, relations = part.counts, part.relations
        self.positions, self.blank = part.cells, part.blank.copy()
        self.matrix = relations.matrix
        self.labels = relations.block
        known = counts.values
        self.least = np.where(counts.zeros_shown & ~((known == 0) & counts.stays_blank), 1.0, 0.0)
        self.universes = _labels(self.matrix)
        self.atoms = np.zeros(self.matrix.shape[1])
        for universe in range(self.universes[0].max() + 1):
            rows, columns = (np.flatnonzero(label == universe) for label in self.universes)
            self.atoms[columns] = base_point(sp.csr_array(self.matrix[rows][:, columns]), known[rows], self.least[rows])
        self.values = np.array(self.matrix @ self.atoms)
        differences = _differences(relations.within, known.size)
        # Where two sources contradict each other, a reader knows that the part is not within the whole.
        self.differences = sp.csr_array(differences[np.flatnonzero(differences @ self.values >= 0)])
        self.minimum, self.width = counts.minimum, counts.width
        self.cost = counts.cost
        # A printed zero stays; so does what an earlier release has told.
        self.movable = ~counts.told & (self.values >= self.least)
        self.low, self.high = self.values.copy(), self.values.copy()
        self.given_away = np.zeros(known.size, dtype=bool)
        self._blocks: dict[tuple[int, int], tuple[Block, np.ndarray]] = {}

    def run(self) -> np.ndarray:
        """Witnesses for small counts first, then for whatever they made blank."""
        while True:
            open_cells = np.flatnonzero(self.blank & self.movable & ~self.given_away)
            waiting = [int(cell) for cell in open_cells if not self.is_safe(int(cell))]
            if not waiting:
                return self.blank
            for cell in waiting:
                if not self.is_safe(cell):
                    self.protect(cell)

    def is_safe(self, cell: int) -> bool:
        """Possible values reach the minimum and are as many as it; of a count that cannot be small, two are enough."""
        low, high, minimum, width = self.low[cell], self.high[cell], self.minimum[cell], self.width[cell]
        if low >= minimum:
            return bool(high - low >= width)
        return bool(high >= minimum and high - low >= max(minimum - 1, width))

    def protect(self, cell: int) -> None:
        """Find a witness in the cell's Kommune and universe, else in its universe, else in the whole part."""
        step = int(max(self.minimum[cell] - self.least[cell], self.width[cell]))
        labels = self.labels_of(cell)
        for label in labels:
            change = self.change(label, cell, step)
            if change is not None and self.is_free(label, change):
                return self.note(label, change)
            if self.blanks_are_enough(label, cell, step):
                return None
            if change is None and self.values[cell] >= self.minimum[cell] + step:
                change = self.change(label, cell, -int(self.width[cell]))
            if change is not None:
                return self.note(label, change)
        # Less room upwards than that: what there is, up and down together.
        for by in (*range(step - 1, 0, -1), *range(-step, 0)):
            change = self.change(labels[-1], cell, by)
            if change is not None:
                self.note(labels[-1], change)
            if self.is_safe(cell):
                return None
        if self.values[cell] < self.minimum[cell]:
            raise GivenAway(self.positions[[cell]])
        # A large count that earlier releases have given away stays blank, and that is all that can be done.
        self.given_away[cell] = True
        return None

    def blanks_are_enough(self, label: tuple[int, int], cell: int, step: int) -> bool:
        """Whether the cell is safe by less than a step up, and down, where only what is blank already moves."""
        for by in range(step - 1, 0, -1):
            change = self.change(label, cell, by)
            if change is not None and self.is_free(label, change):
                self.note(label, change)
                break
        for by in range(-1, -step - 1, -1):
            if self.is_safe(cell):
                return True
            change = self.change(label, cell, by)
            if change is None or not self.is_free(label, change):
                return False
            self.note(label, change)
        return self.is_safe(cell)

    def change(self, label: tuple[int, int], cell: int, by: int) -> np.ndarray | None:
        """The cheapest witness in which the cell changes by `by`: the change of every cell of the block."""
        block, inside = self.block(label)
        return block.move(int(np.searchsorted(inside, cell)), by, self.blank[inside])

    def is_free(self, label: tuple[int, int], change: np.ndarray) -> bool:
        """Whether it changes nothing that is not blank already."""
        return not np.any((change != 0) & ~self.blank[self.block(label)[1]])

    def note(self, label: tuple[int, int], change: np.ndarray) -> None:
        """What moves is blank, and its possible values are one more."""
        inside = self.block(label)[1]
        possible = self.values[inside] + change
        self.low[inside] = np.minimum(self.low[inside], possible)
        self.high[inside] = np.maximum(self.high[inside], possible)
        self.blank[inside] |= change != 0

    def labels_of(self, cell: int) -> list[tuple[int, int]]:
        """(universe, Kommune) of the cell, each -1 for all, from the smallest block to the whole component."""
        universe = int(self.universes[0][cell])
        own = np.unique(self.labels[self.matrix.indices[self.matrix.indptr[cell] : self.matrix.indptr[cell + 1]]])
        return ([(universe, int(own[0]))] if own.size == 1 else []) + [(universe, -1), (-1, -1)]

    def block(self, label: tuple[int, int]) -> tuple[Block, np.ndarray]:
        """The programme of a block, and its cells; everything outside stands still."""
        if label not in self._blocks:
            universe, kommune = label
            columns = np.flatnonzero(
                ((self.universes[1] == universe) | (universe < 0)) & ((self.labels == kommune) | (kommune < 0))
            )
            part = sp.csr_array(self.matrix[:, columns])
            inside = np.flatnonzero(np.diff(part.indptr) > 0)
            complete = np.diff(part.indptr)[inside] == np.diff(self.matrix.indptr)[inside]
            can_move = self.movable[inside] & complete
            both, limits = self.limits(inside)
            self._blocks[label] = (
                Block(
                    sp.csr_array(part[inside]),
                    self.atoms[columns],
                    self.cost[inside],
                    (np.where(can_move, limits[0], 0.0), np.where(can_move, limits[1], 0.0)),
                    both,
                ),
                inside,
            )
        return self._blocks[label]

    def limits(self, inside: np.ndarray) -> tuple[sp.csr_array, tuple[np.ndarray, np.ndarray]]:
        """Pairs with both cells inside, and how far the cells may fall and rise: a partner outside stands still."""
        part = sp.csr_array(self.differences[:, inside])
        ends = np.diff(part.indptr)
        surplus = np.array(self.differences @ self.values)
        fall, rise = self.values[inside] - self.least[inside], np.full(inside.size, np.inf)
        for pair in np.flatnonzero(ends == 1):
            at = part.indptr[pair]
            side = fall if part.data[at] > 0 else rise
            side[part.indices[at]] = min(side[part.indices[at]], surplus[pair] // abs(part.data[at]))
        return sp.csr_array(part[np.flatnonzero(ends == 2)]), (fall, rise)


def _parts(counts: Counts, relations: Relations, blank: np.ndarray) -> Iterator[Part]:
    """The problem of each connected component; ordered by their first cell."""
    cells, atoms = relations.matrix.shape
    pairs = relations.within
    linked = sp.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (cells, cells))
    graph = sp.block_array([[linked, relations.matrix], [None, sp.coo_array((atoms, atoms))]])
    count, label = connected_components(graph, directed=False)
    for rows, columns, of_pairs in zip(
        _grouped(label[:cells], count),
        _grouped(label[cells:], count),
        _grouped(label[pairs[:, 0]], count),
        strict=True,
    ):
        own = Relations(
            sp.csr_array(relations.matrix[rows][:, columns]),
            relations.block[columns],
            np.column_stack([np.searchsorted(rows, pairs[of_pairs, :2]), pairs[of_pairs, 2]]),
        )
        yield Part(rows, counts.of(rows), own, blank[rows])


def _labels(matrix: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """The number of the component of each cell and each atom, pairs left aside."""
    cells, atoms = matrix.shape
    graph = sp.block_array([[sp.coo_array((cells, cells)), matrix], [None, sp.coo_array((atoms, atoms))]])
    _, label = connected_components(graph, directed=False)
    return label[:cells], label[cells:]


def _grouped(label: np.ndarray, count: int) -> list[np.ndarray]:
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(1, count)))


def _differences(pairs: np.ndarray, cells: int) -> sp.csr_array:
    """Shape (pairs, cells): +1 at the whole, minus its factor at the part."""
    rows = np.arange(len(pairs))
    data = np.concatenate([-pairs[:, 2].astype(float), np.ones(len(pairs))])
    at = (np.concatenate([rows, rows]), np.concatenate([pairs[:, 0], pairs[:, 1]]))
    return sp.csr_array((data, at), (len(pairs), cells))
