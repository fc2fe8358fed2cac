"""Published counts are sums of atoms: from the declaration, the areas and both boundary versions."""

import numpy as np
import pandas as pd
import pytest

from orchestration.disclosure.atoms import CUBE, SEEDS, load_declaration, relate
from orchestration.disclosure.audit_sums import read_knowledge

DECLARATION = load_declaration()
MEASURES = pd.read_csv(SEEDS / "measures.csv")
AREAS = [("K", None), ("K1", "K"), ("K2", "K"), ("K1-00", "K1"), ("K1-01", "K1"), ("K1-02", "K1"), ("K2-00", "K2")]
LEVELS = {1: "kreis", 2: "kommune"}


def areas(extra=(), year=2022):
    return pd.DataFrame([*AREAS, *extra], columns=["area_id", "parent_area_id"]).assign(year=year)


def cells(pairs, year=2022):
    table = pd.DataFrame(pairs, columns=["area_id", "item"]).assign(year=year)
    return table.assign(level=table["area_id"].str.len().map(LEVELS).fillna("sozialraum"))


def rank_and_rows(relations):
    matrix = relations.matrix.toarray()
    return int(np.linalg.matrix_rank(matrix)), matrix


def test_every_item_of_the_declaration_is_a_measure_or_a_cell_of_the_population_table():
    items = {
        item for universe in DECLARATION.universes.values() for item in universe.items if not item.startswith(CUBE)
    }
    assert items <= set(MEASURES["measure_id"])
    assert {end for part, whole, *_ in DECLARATION.within for end in (part, whole)} <= set(MEASURES["measure_id"])


def test_every_measure_of_persons_that_names_a_part_of_another_is_in_its_universe():
    """A measure x_something beside a measure x of persons is a part of it, so both are in one universe."""
    own = {"moves_in", "moves_out", "moves_within_in", "moves_within_out", "childcare_under_3", "childcare_3_plus"}
    for item in MEASURES.loc[MEASURES["counts_persons"], "measure_id"]:
        wholes = [w for w in MEASURES["measure_id"] if item.startswith(f"{w}_") and w not in own]
        if item not in own and wholes:
            assert DECLARATION.universe_of(item) != item, f"{item} is not in atoms.yml, but {wholes} is a measure"


@pytest.mark.parametrize("name", sorted(DECLARATION.universes))
def test_both_readers_of_the_declaration_find_the_same_atoms(name):
    knowledge = read_knowledge()
    items = sorted(DECLARATION.universes[name].items)
    mine = {tuple(column) for column in DECLARATION.membership(name, items).T}
    other = {tuple(column) for column in np.array([knowledge.masks[item] for item in items]).T if column.any()}
    assert mine == other


def test_nested_ages_are_sums_of_the_cells_of_the_population_table():
    items = list(DECLARATION.universes["einwohner"].items)
    table = DECLARATION.membership("einwohner", items)
    row = dict(zip(items, table, strict=True))
    assert table.shape == (58, 44)
    assert row["population"].all() and row["population_foreign"].sum() == 22
    assert row["population_under_15"].sum() == 16 and row["population_under_18"].sum() == 20
    assert (row["population_under_65"] ^ row["population_65_plus"]).all()


def test_atoms_are_the_coarsest_that_the_published_items_need():
    assert DECLARATION.membership("einwohner", ["population"]).shape == (1, 1)
    assert DECLARATION.membership("einwohner", ["population", "population_under_15", "population_foreign"]).shape == (
        3,
        4,
    )
    # a person who lives alone has no children
    alone = DECLARATION.membership("haushalte_hhgen", ["hhgen_one_person", "hhgen_without_children"])
    assert sorted(map(tuple, alone.T)) == [(False, True), (True, True)]


def test_a_kommune_is_the_sum_of_its_parts_and_of_those_who_are_not_shown():
    # K1-00 exists, but nothing is published about it
    relations = relate(cells([(a, "unemployed") for a in ("K", "K1", "K2", "K1-01", "K1-02")]), areas(), DECLARATION)
    rank, matrix = rank_and_rows(relations)
    assert matrix.sum(axis=1).tolist() == [4, 3, 1, 1, 1]
    assert rank == 4
    assert np.unique(relations.block).size == 2


def test_kinds_of_a_whole_add_up_in_every_area():
    kinds = ["youth_aid", "youth_aid_ambulant", "youth_aid_teilstationaer", "youth_aid_stationaer"]
    _, matrix = rank_and_rows(relate(cells([("K2", kind) for kind in kinds]), areas(), DECLARATION))
    assert matrix[0].tolist() == matrix[1:].sum(axis=0).tolist()


def test_years_share_no_atom():
    both = pd.concat([cells([("K2", "deaths")], 2021), cells([("K2", "deaths")], 2022)], ignore_index=True)
    frame = pd.concat([areas(year=2021), areas(year=2022)])
    assert relate(both, frame, DECLARATION).matrix.toarray().tolist() == [[1, 0], [0, 1]]


def test_areas_cut_anew_share_pieces_and_hold_the_same_in_sum():
    today = [("K1-01@heute", "K1"), ("K1-02@heute", "K1")]
    overlaps = pd.DataFrame(
        [("K1-01", "K1-01@heute"), ("K1-02", "K1-01@heute"), ("K1-02", "K1-02@heute")], columns=["old", "new"]
    ).assign(year=2022)
    named = ["K1", "K1-00", "K1-01", "K1-02", "K1-01@heute", "K1-02@heute", "K1-02&K1-01@heute"]
    relations = relate(cells([(a, "unemployed") for a in named]), areas(today), DECLARATION, overlaps)
    row = dict(zip(named, relations.matrix.toarray(), strict=True))
    assert (row["K1-01"] + row["K1-02"] == row["K1-01@heute"] + row["K1-02@heute"]).all()
    assert (row["K1"] == row["K1-00"] + row["K1-01"] + row["K1-02"]).all()
    assert (row["K1-01@heute"] - row["K1-01"] == row["K1-02&K1-01@heute"]).all()
    assert np.unique(relations.block).size == 1


def test_recipients_are_within_the_population_but_not_where_nobody_can_be_located():
    table = cells([("K1", "sgb2_persons"), ("K1", "population"), ("K1-00", "sgb2_persons"), ("K1-00", "population")])
    table.loc[2:, "level"] = "nicht_verortbar"
    assert relate(table, areas(), DECLARATION).within.tolist() == [[0, 1, 1]]
