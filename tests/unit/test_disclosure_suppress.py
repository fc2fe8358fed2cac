"""Small counts stay hidden, and no single published sum gives one away."""

import itertools

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.disclosure.cells import blank_cells
from orchestration.disclosure.relations import area_relations, composed_relations, overlap_relations
from orchestration.disclosure.suppress import suppress


def run(values, relations, arrived=(), cost=None):
    values = np.array(values, dtype=float)
    blank = np.zeros(len(values), dtype=bool)
    blank[list(arrived)] = True
    cost = np.ones(len(values)) if cost is None else np.array(cost, dtype=float)
    return suppress(values, blank, [np.array(r) for r in relations], cost).tolist()


def test_one_and_two_are_blank_but_zero_and_three_are_not():
    assert run([0, 1, 2, 3], []) == [False, True, True, False]


def test_a_single_blank_part_takes_the_smallest_other_part_with_it():
    assert run([30, 2, 20, 8], [[0, 1, 2, 3]]) == [False, True, False, True]


def test_two_blank_ones_are_not_enough_because_their_sum_gives_both_away():
    assert run([22, 1, 1, 20], [[0, 1, 2, 3]]) == [False, True, True, True]


def test_a_zero_is_never_blanked_so_the_whole_goes_when_no_part_is_left():
    assert run([2, 2, 0, 0], [[0, 1, 2, 3]]) == [True, True, False, False]


def test_a_blank_whole_is_protected_in_the_relation_above_it():
    # Kreis 102 = Kommunen 2 + 100; Kommune 2 = one Sozialraum 2 + nothing
    blank = run([102, 2, 100, 2, 0], [[0, 1, 2], [1, 3, 4]])
    assert blank == [False, True, True, True, False]


def test_a_cell_that_arrived_suppressed_stays_blank_and_is_not_left_alone():
    assert run([30, np.nan, 20, 8], [[0, 1, 2, 3]], arrived=[1]) == [False, True, False, True]


def test_the_headline_cell_is_spared_when_another_can_go():
    assert run([33, 2, 8, 23], [[0, 1, 2, 3]], cost=[9, 1, 9, 1]) == [False, True, False, True]


def feasible_values(parts, blank, total):
    """Every assignment of the blank parts (each at least 1) that fits the published total."""
    hidden = [i for i, b in enumerate(blank) if b]
    rest = total - sum(p for p, b in zip(parts, blank, strict=True) if not b)
    return {
        i: {c[k] for c in itertools.product(range(1, rest + 1), repeat=len(hidden)) if sum(c) == rest}
        for k, i in enumerate(hidden)
    }


@given(st.lists(st.integers(0, 6), min_size=2, max_size=4))
@settings(max_examples=150, deadline=None)
def test_brute_force_finds_no_small_cell_behind_a_published_total(parts):
    blank = run([sum(parts), *parts], [list(range(len(parts) + 1))])
    if blank[0]:
        return
    for index, possible in feasible_values(parts, blank[1:], sum(parts)).items():
        if 0 < parts[index] < 3:
            assert max(possible) >= 3 and len(possible) > 1


def as_counted(rows, columns):
    return pd.DataFrame(rows, columns=columns).assign(boundary="as_counted", is_today=True)


def test_relations_follow_the_areas():
    cells = as_counted(
        [
            ("K", None, 2020, "a"),
            ("K1", "K", 2020, "a"),
            ("K2", "K", 2020, "a"),
            ("K1-01", "K1", 2020, "a"),
            ("K1-00", "K1", 2020, "a"),
            ("K2-01", "K2", 2021, "a"),
        ],
        columns=["area_id", "parent_area_id", "year", "item"],
    )
    assert [r.tolist() for r in area_relations(cells)] == [[0, 1, 2], [1, 3, 4]]


def test_measures_are_composed_of_cells_of_the_same_area_and_year():
    cells = as_counted(
        [("A", 2020, "u6"), ("A", 2020, "u3"), ("A", 2020, "3_5"), ("B", 2020, "u6"), ("B", 2020, "u3")],
        columns=["area_id", "year", "item"],
    )
    composition = pd.DataFrame([("u6", "u3"), ("u6", "3_5")], columns=["whole", "part"])
    assert [r.tolist() for r in composed_relations(cells, composition)] == [[0, 1, 2]]


def redrawn(persons):
    """Kommune K with 01, 02, 03 before; today 01 gave land to 02, 03 is the same. persons: (stayed, moved, 02, 03)."""
    stayed, moved, second, third = persons
    rows = [
        ("as_counted", "K", None, "kommune", sum(persons), True),
        ("as_counted", "K-01", "K", "sozialraum", stayed + moved, False),
        ("as_counted", "K-02", "K", "sozialraum", second, False),
        ("as_counted", "K-03", "K", "sozialraum", third, True),
        ("current", "K-01", "K", "sozialraum", stayed, True),
        ("current", "K-02", "K", "sozialraum", second + moved, True),
        ("overlap", "K-01|K-01", None, "overlap", stayed, False),
        ("overlap", "K-01|K-02", None, "overlap", moved, False),
        ("overlap", "K-02|K-02", None, "overlap", second, False),
    ]
    columns = ["boundary", "area_id", "parent_area_id", "level", "value", "is_today"]
    return pd.DataFrame(rows, columns=columns).assign(year=2018, item="a", arrived_blank=False)


NO_COMPOSITION = pd.DataFrame({"whole": [], "part": []})


def test_todays_areas_and_their_overlaps_with_those_before_are_sums_too():
    cells = redrawn((50, 10, 40, 30))
    assert [r.tolist() for r in area_relations(cells)] == [[0, 1, 2, 3], [0, 3, 4, 5]]
    assert [r.tolist() for r in overlap_relations(cells)] == [[1, 6, 7], [2, 8], [4, 6], [5, 7, 8]]
    assert not blank_cells(cells, NO_COMPOSITION, 3).any()


def test_two_persons_who_changed_the_area_cannot_be_worked_out_from_before_and_after():
    cells = redrawn((50, 2, 40, 30))
    blank = dict(
        zip(zip(cells["boundary"], cells["area_id"], strict=True), blank_cells(cells, NO_COMPOSITION, 3), strict=True)
    )
    assert blank["as_counted", "K-01"] or blank["current", "K-01"]
    assert blank["as_counted", "K-02"] or blank["current", "K-02"]
    # The Kommune is public, so nothing in it is blank alone.
    for boundary in ("as_counted", "current"):
        names = [("as_counted", "K-03"), (boundary, "K-01"), (boundary, "K-02")]
        assert sum(blank[name] for name in names) != 1
