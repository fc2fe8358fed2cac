"""Small counts stay hidden, and no single published sum gives one away."""

import itertools

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.disclosure.relations import area_relations, composed_relations
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


def test_relations_follow_the_areas():
    cells = pd.DataFrame(
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
    cells = pd.DataFrame(
        [("A", 2020, "u6"), ("A", 2020, "u3"), ("A", 2020, "3_5"), ("B", 2020, "u6"), ("B", 2020, "u3")],
        columns=["area_id", "year", "item"],
    )
    composition = pd.DataFrame([("u6", "u3"), ("u6", "3_5")], columns=["whole", "part"])
    assert [r.tolist() for r in composed_relations(cells, composition)] == [[0, 1, 2]]
