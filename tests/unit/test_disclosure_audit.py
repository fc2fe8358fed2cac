"""The audit against brute force, the suppressor against the audit, and weakened suppressors that must be caught."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from orchestration.disclosure import audit_bounds
from orchestration.disclosure.atoms import Relations, load_declaration
from orchestration.disclosure.audit import EXACT, SAFE, audit, settled_pairs, verdicts
from orchestration.disclosure.audit_bounds import System, ranges
from orchestration.disclosure.audit_history import together
from orchestration.disclosure.audit_read import Published
from orchestration.disclosure.audit_sums import WITHOUT, Knowledge, build, read_knowledge
from orchestration.disclosure.pattern import Counts, GivenAway, suppress

MINIMUM = 3
MOST_TABLES = 60_000


def random_table(rng):
    """Atoms in 2 Kommunen × up to 2 places × up to 3 kinds; cells are atoms, sums over kinds, places and both."""
    places, kinds = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    atoms = rng.choice([0, 1, 2, 3, 5, 9], size=(places, kinds), p=[0.2, 0.25, 0.2, 0.15, 0.1, 0.1])
    kommune = np.arange(places) >= places / 2
    area_sets = [np.arange(places) == p for p in range(places)]
    area_sets += [chosen for chosen in (~kommune, kommune) if chosen.sum() > 1] + [np.ones(places, bool)]
    kind_sets = [np.arange(kinds) == k for k in range(kinds)]
    if kinds > 1:
        kind_sets.append(np.ones(kinds, bool))
    if kinds > 2:
        kind_sets.append(np.array([True, True, False]))
        if rng.random() < 0.3:
            # overlapping sets: the relaxation need not be whole
            kind_sets.append(np.array([False, True, True]))
    if kinds > 1 and rng.random() < 0.3:
        # the atoms of one kind are not published
        kind_sets = kind_sets[1:]
    matrix = np.array([np.outer(a, k).ravel() for a in area_sets for k in kind_sets], dtype=float)
    used = matrix.any(axis=0)
    block = np.repeat(kommune.astype(np.int64), kinds)[used]
    return matrix[:, used], atoms.ravel()[used].astype(float), block


def counts_of(values, **changes):
    n = len(values)
    given = {
        "minimum": np.full(n, float(MINIMUM)),
        "zeros_shown": np.ones(n, bool),
        "width": np.ones(n),
        "cost": np.ones(n),
        "stays_blank": np.zeros(n, bool),
        "told": np.zeros(n, bool),
    } | changes
    return Counts(values=values, **given)


def as_reader(matrix, values, blank, blank_is_at_least=1.0):
    low = np.where(blank, blank_is_at_least, values)
    return System(sp.csr_array(matrix), low, np.where(blank, np.inf, values))


def audited(matrix, values, blank):
    system = as_reader(matrix, values, blank)
    found = ranges(system, sp.csr_array(matrix[blank]), lambda _, low, high: verdicts(low, high, MINIMUM) == SAFE)
    return verdicts(found.low, found.high, MINIMUM)


def brute_force(matrix, values, blank, cap):
    """Lowest and highest value of each blank over every assignment of the atoms that fits what is published."""
    low, high = np.where(blank, 1, values), np.where(blank, np.inf, values)
    tables, sums = np.zeros((1, 0)), np.zeros((1, len(matrix)))
    for atom in range(matrix.shape[1]):
        choices = np.arange(cap + 1.0)
        tables = np.hstack([np.repeat(tables, choices.size, axis=0), np.tile(choices, len(tables))[:, None]])
        sums = np.repeat(sums, choices.size, axis=0) + tables[:, [atom]] * matrix[:, atom]
        is_done = ~matrix[:, atom + 1 :].any(axis=1)
        fits = (sums <= high).all(axis=1) & (sums[:, is_done] >= low[is_done]).all(axis=1)
        tables, sums = tables[fits], sums[fits]
        if len(tables) > MOST_TABLES:
            return None
    return sums[:, blank].min(axis=0), sums[:, blank].max(axis=0)


def assert_same_ranges(matrix, values, blank):
    """The audit's ranges and verdicts beside those of all tables; False where these are too many to count."""
    every = brute_force(matrix, values, blank, int(values[~blank].max()))
    if every is None:
        return False
    low, high = every
    targets = sp.csr_array(matrix[blank])
    found = ranges(as_reader(matrix, values, blank), targets)
    assert found.low.tolist() == low.tolist()
    assert found.high.tolist() == high.tolist()
    quick = ranges(as_reader(matrix, values, blank), targets, lambda _, low, high: verdicts(low, high, MINIMUM) == SAFE)
    assert (verdicts(quick.low, quick.high, MINIMUM) == verdicts(low, high, MINIMUM)).all()
    return True


def bounded(matrix, blank):
    """The total stays printed, so that there are finitely many tables."""
    blank = blank.copy()
    blank[np.argmax(matrix.sum(axis=1))] = False
    return blank


@pytest.mark.parametrize("part", range(10))
def test_the_audit_finds_the_same_ranges_as_enumerating_every_table(part):
    rng = np.random.default_rng(part)
    compared = 0
    while compared < 40:
        matrix, atoms, _ = random_table(rng)
        atoms = np.minimum(atoms, 3) if atoms.size > 8 else atoms
        values = matrix @ atoms
        blank = bounded(matrix, (values > 0) & (rng.random(len(values)) < rng.choice([0.3, 0.6])))
        if not blank.any() or values.max() > 14:
            continue
        compared += assert_same_ranges(matrix, values, blank)


def three_way(shape):
    """Cells × atoms of a table of areas × two traits: every atom, every sum over one of the three, and the total."""
    atoms = np.arange(np.prod(shape)).reshape(shape)
    cells = [np.isin(atoms, atom) for atom in atoms.ravel()]
    for axis in range(3):
        for line in np.moveaxis(atoms, axis, -1).reshape(-1, shape[axis]):
            cells.append(np.isin(atoms, line))
    cells.append(np.ones(shape, bool))
    return np.array([cell.ravel() for cell in cells], dtype=float)


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 3), (2, 3, 3), (3, 3, 3)])
def test_three_way_tables_give_the_same_ranges_as_enumerating_every_table(shape):
    matrix = three_way(shape)
    n = int(np.prod(shape))
    rng = np.random.default_rng(n)
    compared = 0
    while compared < 40:
        values = matrix @ rng.choice([0, 1, 2, 3], size=n, p=[0.4, 0.35, 0.15, 0.1])
        # Atoms are blank oftener than sums.
        blank = bounded(matrix, (values > 0) & (rng.random(len(values)) < np.where(matrix.sum(axis=1) == 1, 0.8, 0.2)))
        if blank.any():
            compared += assert_same_ranges(matrix, values, blank)


def test_where_the_relaxation_is_not_whole_only_whole_tables_count():
    # 3 × 3 × 4, all sums over one axis and five atoms printed (found by search): fractions allow 1.5, and 1 is exact.
    atoms = np.array(
        [1, 2, 0, 1, 1, 0, 1, 0, 0, 1, 2, 1, 1, 2, 0, 1, 0, 0, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 0, 2, 0, 2, 0, 0, 0, 1]
    )
    matrix = three_way((3, 3, 4))
    is_printed = matrix.sum(axis=1) > 1
    is_printed[[4, 17, 23, 27, 34]] = True
    printed, cell = matrix[is_printed], 11
    highs = audit_bounds._model(
        sp.csr_array(printed), (printed @ atoms, printed @ atoms), (np.zeros(36), np.full(36, np.inf))
    )
    audit_bounds._set_cost(highs, -matrix[cell])
    assert audit_bounds._optimum(highs)[cell] == pytest.approx(1.5)
    found = ranges(System(sp.csr_array(printed), printed @ atoms, printed @ atoms), sp.csr_array(matrix[[cell]]))
    assert (found.low[0], found.high[0]) == (1, 1)


KREIS, KOMMUNEN = "k", ("k-a", "k-b")


def two_releases(rng):
    """Two releases of the same random counts, blanks chosen anew in each, and the matrix of what they speak of."""
    places = [f"{kommune}-{n}" for kommune in KOMMUNEN for n in range(int(rng.integers(1, 3)))]
    kinds = int(rng.integers(1, 4))
    masks = {f"m{k}": np.arange(kinds) == k for k in range(kinds)} | {"alle": np.ones(kinds, bool)}
    if kinds == 3:
        masks |= {"m01": np.array([True, True, False]), "m12": np.array([False, True, True])}
    areas = {place: np.array([place == other for other in places]) for place in places}
    areas |= {kommune: np.array([place.startswith(kommune) for place in places]) for kommune in KOMMUNEN}
    areas[KREIS] = np.ones(len(places), bool)
    keys = [(area, 2022, item) for area in sorted(areas) for item in sorted(masks)]
    matrix = np.array([np.outer(areas[area], masks[item]).ravel() for area, _, item in keys], dtype=float)
    values = matrix @ rng.choice([0, 1, 2, 3, 5], size=matrix.shape[1], p=[0.2, 0.3, 0.2, 0.2, 0.1])
    blanks = [bounded(matrix, (values > 0) & (rng.random(len(values)) < 0.6)) for _ in range(2)]
    tree = pd.DataFrame(
        {
            "area": [*places, *KOMMUNEN, KREIS],
            "parent": [*(place[:3] for place in places), KREIS, KREIS, None],
            "level": [*["sozialraum"] * len(places), "kommune", "kommune", "kreis"],
            "year": 2022,
            "is_today": False,
            "is_replaced": False,
            "group": "",
        }
    )
    knowledge = Knowledge(masks, dict.fromkeys(masks, "personen"), [])
    return matrix, values, blanks, keys, [printed(keys, values, blank, tree) for blank in blanks], knowledge


def printed(keys, values, blank, tree):
    cells = pd.DataFrame(keys, columns=["area", "year", "item"]).assign(
        low=np.where(blank, np.nan, values), high=np.where(blank, np.nan, values), is_blank=blank, is_unclear=False
    )
    nothing = pd.DataFrame(columns=["area", "year", "item", "numerator", "denominator", "low", "high"])
    rules = pd.DataFrame(columns=["item", "minimum", "zeros_shown", "is_judged"])
    return Published(cells.assign(is_printed=~blank), nothing, tree, nothing, nothing, rules)


@pytest.mark.parametrize("part", range(4))
def test_two_releases_tell_what_enumerating_every_table_of_both_tells(part):
    rng = np.random.default_rng(200 + part)
    compared = 0
    while compared < 25:
        matrix, values, (first, second), keys, (old, new), knowledge = two_releases(rng)
        both = first & second
        if not both.any() or matrix.shape[1] > 9 or values.max() > 20:
            continue
        every = brute_force(matrix, values, both, int(values.max()))
        if every is None:
            continue
        compared += 1
        published, revealed = together(new, [old], knowledge)
        system, targets, hidden = build(published, knowledge)
        found = ranges(system, targets)
        names = zip(hidden["area"], hidden["year"], hidden["item"], strict=True)
        told = dict(zip(names, zip(found.low.tolist(), found.high.tolist(), strict=True), strict=True))
        bounds = zip(*(bound.tolist() for bound in every), strict=True)
        wanted = {keys[at]: own for at, own in zip(np.flatnonzero(both), bounds, strict=True)}
        assert {key: own for key, own in told.items() if WITHOUT not in key[2]} == wanted
        shown_later = {keys[at] for at in np.flatnonzero(first & ~second)}
        assert set(zip(revealed["area"], revealed["year"], revealed["item"], strict=True)) == shown_later


@pytest.mark.parametrize("part", range(5))
def test_what_the_suppressor_leaves_is_safe_to_the_audit(part):
    rng = np.random.default_rng(100 + part)
    for _ in range(40):
        matrix, atoms, block = random_table(rng)
        values = matrix @ atoms
        relations = Relations(sp.csr_array(matrix), block, np.empty((0, 3), np.int64))
        blank = suppress(counts_of(values), relations)
        assert blank[(values > 0) & (values < MINIMUM)].all()
        assert not blank[values == 0].any()
        assert (audited(matrix, values, blank) == SAFE).all()


def caught(blanks_of):
    """Of 60 random tables those where the audit finds a leak behind the blanks of a weakened suppressor."""
    rng = np.random.default_rng(7)
    leaky = 0
    for _ in range(60):
        matrix, atoms, block = random_table(rng)
        values = matrix @ atoms
        blank = blanks_of(matrix, values, block)
        leaky += bool((audited(matrix, values, blank) != SAFE).any())
    return leaky


def test_primary_suppression_alone_is_caught():
    assert caught(lambda matrix, values, block: (values > 0) & (values < MINIMUM)) > 30


def test_a_suppressor_that_thinks_blanks_may_be_zero_is_caught():
    def blanks_from_zero(matrix, values, block):
        """The classical pattern: a blank may be anything from 0, so its witness may be a table with zeros."""
        blank = (values > 0) & (values < MINIMUM)
        for cell in np.flatnonzero(blank):
            found = ranges(as_reader(matrix, values, blank, 0.0), sp.csr_array(matrix[[cell]]))
            order = np.lexsort((values, matrix @ matrix[cell] == 0))
            for other in order:
                if found.high[0] - found.low[0] >= MINIMUM - 1 and found.high[0] >= MINIMUM:
                    break
                blank[other] |= values[other] > 0
                found = ranges(as_reader(matrix, values, blank, 0.0), sp.csr_array(matrix[[cell]]))
        return blank

    assert caught(blanks_from_zero) > 0


def test_a_suppressor_that_sees_one_year_at_a_time_is_caught_by_the_published_difference():
    # two years of three places and their total; the change of each place is printed too
    year = np.vstack([np.eye(3), np.ones((1, 3))])
    values = np.array([2.0, 5, 8, 15, 4, 6, 7, 17])
    matrix = np.kron(np.eye(2), year)
    relations = Relations(sp.csr_array(matrix), np.zeros(6, np.int64), np.empty((0, 3), np.int64))
    blank = suppress(counts_of(values), relations)
    assert (audited(matrix, values, blank) == SAFE).all()
    change = np.hstack([-np.eye(3), np.eye(3)])
    both = np.vstack([matrix, change])
    seen = np.append(values, [2.0, 1, -1])
    hidden = np.append(blank, np.zeros(3, bool))
    assert EXACT in audited(both, seen, hidden)


def test_a_later_release_hides_what_an_earlier_one_hid_and_trusts_no_cell_that_was_told():
    rng = np.random.default_rng(3)
    for _ in range(30):
        matrix, atoms, block = random_table(rng)
        values = matrix @ atoms
        relations = Relations(sp.csr_array(matrix), block, np.empty((0, 3), np.int64))
        first = suppress(counts_of(values), relations)
        second = suppress(
            counts_of(values, stays_blank=first, told=~first, cost=rng.permutation(len(values)) + 1.0), relations
        )
        assert second.tolist() == first.tolist()


def test_a_small_count_that_an_earlier_release_left_alone_cannot_be_saved():
    matrix = np.array([[1.0, 0], [0, 1], [1, 1]])
    told = np.array([False, True, True])
    with pytest.raises(GivenAway):
        suppress(
            counts_of(np.array([2.0, 9, 11]), told=told),
            Relations(sp.csr_array(matrix), np.zeros(2, np.int64), np.empty((0, 3), np.int64)),
        )


def test_a_part_within_a_whole_of_another_source_counts_for_both():
    # persons 4, of them recipients 2; the persons' total is printed, so recipients cannot be more than 4
    matrix = np.eye(2)
    relations = Relations(sp.csr_array(matrix), np.zeros(2, np.int64), np.array([[1, 0, 1]]))
    assert suppress(counts_of(np.array([4.0, 2])), relations).tolist() == [False, True]
    # two persons who both are recipients: both blank, and each may be larger
    assert suppress(counts_of(np.array([2.0, 2])), relations).tolist() == [True, True]


def test_a_part_that_counts_twice_in_its_whole_leaves_no_room_for_three():
    """Single parents are two persons at least: of five persons on SGB II at most two are such households."""
    matrix = np.eye(4)
    relations = Relations(sp.csr_array(matrix), np.zeros(4, np.int64), np.array([[1, 0, 2], [1, 2, 1]]))
    values = np.array([5.0, 2, 25, 9])
    blank = suppress(counts_of(values), relations)
    assert blank.tolist() == [True, True, False, False]
    rows = sp.csr_array(np.vstack([matrix[blank], [[1, -2, 0, 0]], matrix[~blank]]))
    low = np.array([1.0, 1, 0, 25, 9])
    found = ranges(System(rows, low, np.array([np.inf, np.inf, np.inf, 25, 9])), sp.csr_array(matrix[blank]))
    assert (verdicts(found.low, found.high, MINIMUM) == SAFE).all()


def test_the_audit_knows_how_often_a_part_is_in_its_whole():
    declared = load_declaration().within
    assert sorted(read_knowledge().within, key=str) == sorted(
        [(p, w, float(f), at) for p, w, f, at in declared], key=str
    )
    assert ("sgb2_single_parents", "sgb2_persons", 2, None) in declared
    published, _ = one_area((5, 2), (False, True))
    for factor, verdict in ((2.0, "certainly_below"), (1.0, "safe")):
        found = audit(published, Knowledge({}, {}, [("teil", "alle", factor, None)]))
        assert found.verdicts[verdict] == 1


def test_counts_that_contradict_each_other_do_not_stop_the_audit():
    matrix = np.array([[1.0, 0], [0, 1], [1, 1]])
    found = ranges(as_reader(matrix, np.array([5.0, 4, 10]), np.zeros(3, bool)), sp.csr_array((0, 2)))
    assert found.contradictions == 1


@pytest.mark.parametrize("total", [1.0, 3.0])
def test_nor_do_contradictions_that_no_single_row_shows(total):
    """Three counts of which any two sum to an odd total: halves would do, whole numbers do not."""
    pairs = sp.csr_array(np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]]))
    kreis = sp.csr_array(sp.block_diag([pairs, np.array([[1.0, 1]])]))
    found = ranges(
        System(kreis, np.array([total] * 3 + [4]), np.array([total] * 3 + [4])), sp.eye_array(5, format="csr")
    )
    assert found.contradictions == 1
    assert (found.low[3:].tolist(), found.high[3:].tolist()) == ([0, 0], [4, 4])
    assert found.low[:3].sum() >= 0 and found.high[:3].max() <= total + 1


def one_area(values, blank):
    """A release of one Kommune with a whole and a part of it."""
    knowledge = Knowledge(
        {"alle": np.array([True, True]), "teil": np.array([True, False])}, dict.fromkeys(["alle", "teil"], "u"), []
    )
    keys = [("k-a", 2022, "alle"), ("k-a", 2022, "teil")]
    tree = pd.DataFrame({"area": ["k-a"], "parent": [None], "level": ["kommune"], "year": [2022]})
    tree = tree.assign(is_today=False, is_replaced=False, group="")
    return printed(keys, np.array(values, float), np.array(blank), tree), knowledge


@pytest.mark.parametrize(
    ("values", "blank", "verdict"),
    [
        ((8, 6), (False, False), {"exact": 1}),
        ((8, 5), (False, False), {}),
        ((8, 8), (False, False), {}),
        ((8, 6), (False, True), {"safe": 1}),
        ((8, 6), (True, False), {"safe": 1}),
    ],
)
def test_a_whole_and_its_part_tell_what_is_left(values, blank, verdict):
    found = audit(*one_area(values, blank))
    assert {name: count for name, count in found.verdicts.items() if count} == verdict
    assert found.leaks == verdict.get("exact", 0)


def test_the_blank_of_a_share_is_known_for_one_where_its_other_count_is_printed_elsewhere():
    """Numerator or denominator is the blank; the denominator is printed, so the numerator is at least one."""
    published, knowledge = one_area((3, 1), (False, True))
    cells = published.cells.assign(is_blank=False, is_unclear=[False, True])
    pairs = pd.DataFrame({"area": ["k-a"], "year": [2022], "numerator": ["teil"], "denominator": ["alle"]})
    system, targets, hidden = build(replace(published, cells=cells), knowledge)
    wanted = settled_pairs(replace(published, cells=cells, pairs=pairs), system, targets, hidden)
    assert hidden.loc[wanted, "item"].tolist() == ["teil"]


def test_all_tables_are_few_enough_to_count_by_hand():
    # 1 + 2 blank under a printed 3: (1,2) and (2,1)
    matrix = np.array([[1.0, 0], [0, 1], [1, 1]])
    blank = np.array([True, True, False])
    low, high = brute_force(matrix, np.array([1.0, 2, 3]), blank, 3)
    assert (low.tolist(), high.tolist()) == ([1, 1], [2, 2])
    assert list(itertools.chain(audited(matrix, np.array([1.0, 2, 3]), blank))) == ["certainly_below"] * 2
