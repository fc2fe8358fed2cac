"""What the audit reads off a release: printed beside a blank, over years, over boundaries, over releases."""

import numpy as np
import pandas as pd
import pytest

from orchestration.disclosure.audit import BELOW, EXACT, LEAKS, SAFE, audit_release
from orchestration.disclosure.audit_command import print_audit
from orchestration.disclosure.audit_history import earlier_releases
from orchestration.home import Home

KREIS, A, B = "05378", "05378004", "05378008"
AREAS = [(KREIS, None, "kreis"), (A, KREIS, "kommune"), (B, KREIS, "kommune")]
AREAS += [
    (f"{k}-{n}", k, "nicht_verortbar" if n == "00" else "sozialraum") for k in (A, B) for n in ("00", "01", "02", "03")
]
INDICATORS = {
    "kinder": ("sgb2_under_15", None, 1.0, "none"),
    "quote": ("sgb2_under_15", "population_under_15", 100.0, "wilson"),
    "einwohner_u15": ("population_under_15", None, 1.0, "none"),
}
COUNTS = {
    f"{A}-00": 0,
    f"{A}-01": 2,
    f"{A}-02": 9,
    f"{A}-03": 14,
    f"{B}-00": 0,
    f"{B}-01": 5,
    f"{B}-02": 8,
    f"{B}-03": 6,
}
CHILDREN = {area: 100 if area[-2:] != "00" else 0 for area in COUNTS}


def summed(counts):
    total = dict(counts)
    for kommune in (A, B):
        total[kommune] = sum(v for k, v in counts.items() if k.startswith(kommune))
    return total | {KREIS: sum(counts.values())}


def rows(years=(2022,), counts=None, blank=(), indicators=("kinder",)):
    """fct_indicator with nothing derived; `blank` are areas whose sgb2_under_15 is not shown."""
    table = []
    for year in years:
        for indicator in indicators:
            numerator, denominator, scale, _ = INDICATORS[indicator]
            for area, count in summed((counts or {}).get(year, COUNTS)).items():
                own = summed(CHILDREN)[area] if numerator == "population_under_15" else count
                other = float(summed(CHILDREN)[area]) if denominator else np.nan
                if denominator and other == 0:
                    continue
                hidden = numerator == "sgb2_under_15" and area in blank
                table.append(
                    {
                        "area_id": area,
                        "year": year,
                        "indicator_id": indicator,
                        "boundary": "as_counted",
                        "value": np.nan if hidden else own * scale / (other if denominator else 1),
                        "value_status": "suppressed" if hidden else "zero" if own == 0 else "ok",
                        "numerator": np.nan if hidden else float(own),
                        "denominator": np.nan if hidden else other,
                    }
                )
    frame = pd.DataFrame(table)
    derived = ("ci_lower", "ci_upper", "benchmark_kreis", "change_absolute", "change_percent", "conversion_error")
    text = {"vs_kreis": None, "conversion_method": None, "trend": "nicht_berechenbar"}
    return frame.assign(**dict.fromkeys(derived, np.nan), **text, change_since_year=frame["year"] - 1)


def write(folder, facts, created="2023-01-01"):
    parquet = folder / "parquet"
    parquet.mkdir(parents=True)
    facts.to_parquet(parquet / "fct_indicator.parquet")
    pd.DataFrame(
        {
            "area_id": [],
            "year": [],
            "age_band": [],
            "sex": [],
            "nationality_group": [],
            "population": [],
            "value_status": [],
        }
    ).astype({"year": int, "population": float}).astype(dict.fromkeys(["area_id", "age_band", "sex"], str)).to_parquet(
        parquet / "fct_population.parquet"
    )
    pd.DataFrame(AREAS, columns=["area_id", "parent_area_id", "level"]).assign(
        valid_from=pd.Timestamp(2000, 1, 1), valid_to=pd.NaT, area_sqkm=1.0
    ).to_parquet(parquet / "dim_area.parquet")
    pd.DataFrame(
        [(name, *row) for name, row in INDICATORS.items()],
        columns=["indicator_id", "numerator_measure", "denominator_measure", "scale", "interval_method"],
    ).to_parquet(parquet / "dim_indicator.parquet")
    pd.DataFrame({"created": [created]}).to_parquet(parquet / "meta_release.parquet")
    return folder


def leaks(release, *earlier):
    found = audit_release(release, list(earlier))
    return found.leaks, found.verdicts.to_dict()


SMALL, PARTNER = f"{A}-01", f"{A}-02"


def test_a_reader_knows_that_no_blank_is_zero(tmp_path):
    # Together they are three, and a zero would be printed: each is one or two.
    counts = COUNTS | {SMALL: 1, PARTNER: 2}
    found = audit_release(write(tmp_path / "r", rows(counts={2022: counts}, blank=(SMALL, PARTNER))))
    assert found.verdicts[BELOW] == found.leaks == 2


def test_two_blanks_with_room_are_safe_and_counted(tmp_path):
    found = audit_release(write(tmp_path / "r", rows(blank=(SMALL, PARTNER))))
    assert found.leaks == 0
    assert found.verdicts.to_dict() == {**dict.fromkeys(LEAKS, 0), SAFE: 2}
    assert found.cells == 11


def test_a_single_blank_follows_from_the_total(tmp_path):
    assert leaks(write(tmp_path / "r", rows(blank=(SMALL,))))[1][EXACT] == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [("value", 2.0), ("ci_lower", 0.5502), ("ci_upper", 7.0013)],
)
def test_a_share_or_an_interval_beside_a_blank_gives_the_count_back(tmp_path, column, value):
    facts = rows(blank=(SMALL, PARTNER), indicators=("quote", "einwohner_u15"))
    there = (facts["area_id"] == SMALL) & (facts["indicator_id"] == "quote")
    assert leaks(write(tmp_path / "before", facts))[0] == 0
    facts.loc[there, [column, "denominator"]] = [value, 100.0]
    # nobody publishes how many recipients cannot be located, so the other blank stays open
    assert leaks(write(tmp_path / "r", facts))[1][EXACT] == 1


def test_a_share_rounded_to_one_decimal_is_an_interval(tmp_path):
    facts = rows(blank=(SMALL, PARTNER), indicators=("quote", "einwohner_u15"))
    facts.loc[(facts["area_id"] == SMALL) & (facts["indicator_id"] == "quote"), "value"] = 2.0
    # the denominator is printed as an indicator of its own
    assert leaks(write(tmp_path / "r", facts))[1][EXACT] == 1


def test_a_change_gives_a_blank_back_and_a_later_year_too(tmp_path):
    counts = {2021: COUNTS, 2022: COUNTS | {SMALL: 7}}
    facts = rows((2021, 2022), counts, blank=(), indicators=("kinder",))
    hidden = facts["area_id"].isin([SMALL, PARTNER]) & (facts["year"] == 2021)
    facts.loc[hidden, ["value", "numerator"]] = np.nan
    facts.loc[hidden, "value_status"] = "suppressed"
    assert leaks(write(tmp_path / "before", facts))[0] == 0
    facts.loc[(facts["area_id"] == SMALL) & (facts["year"] == 2022), "change_absolute"] = 5.0
    assert leaks(write(tmp_path / "r", facts))[1][EXACT] == 2


def test_the_value_of_the_kreis_on_every_row_gives_the_kreis_back(tmp_path):
    facts = rows(blank=(SMALL, A, KREIS))
    assert leaks(write(tmp_path / "before", facts))[0] == 0
    facts.loc[facts["area_id"] == f"{B}-03", "benchmark_kreis"] = 44.0
    assert leaks(write(tmp_path / "r", facts))[1][EXACT] == 3


def test_a_later_release_that_shows_what_an_earlier_one_hid_is_a_leak(tmp_path):
    first = write(tmp_path / "a", rows(blank=(SMALL, PARTNER)), "2022-01-01")
    second = write(tmp_path / "b", rows(blank=(SMALL, f"{A}-03")), "2023-01-01")
    assert (leaks(first)[0], leaks(second)[0]) == (0, 0)
    assert leaks(second, first)[1][EXACT] == 2
    assert earlier_releases(second) == []
    (tmp_path / "changes").mkdir()
    (tmp_path / "changes" / "a.json").write_text("{}", encoding="utf-8")
    assert earlier_releases(second) == [first]
    assert earlier_releases(first) == []


def test_a_corrected_kommune_is_not_put_together_with_what_it_was(tmp_path):
    first = write(tmp_path / "a", rows(blank=(SMALL, PARTNER)), "2022-01-01")
    corrected = {2022: COUNTS | {SMALL: 4, f"{A}-03": 15, PARTNER: 12}}
    second = write(tmp_path / "b", rows(counts=corrected, blank=(SMALL, PARTNER)), "2023-01-01")
    assert leaks(second, first)[0] == 0


def test_a_count_that_was_hidden_stays_hidden_when_its_neighbour_is_corrected(tmp_path):
    first = write(tmp_path / "a", rows(blank=(SMALL, PARTNER)), "2022-01-01")
    corrected = {2022: COUNTS | {f"{A}-03": 15}}
    printed = write(tmp_path / "b", rows(counts=corrected, blank=(SMALL, f"{A}-00")), "2023-01-01")
    assert leaks(printed, first)[1][EXACT] >= 1
    hidden = write(tmp_path / "c", rows(counts=corrected, blank=(SMALL, PARTNER)), "2023-01-01")
    assert leaks(hidden, first)[0] == 0


@pytest.mark.parametrize("now", [{SMALL: 0}, {SMALL: 8, PARTNER: 9}], ids=["a zero", "more than the sum of before"])
def test_a_blank_that_has_visibly_changed_tells_nothing_of_what_it_was(tmp_path, now):
    first = write(tmp_path / "a", rows(blank=(SMALL, PARTNER)), "2022-01-01")
    second = write(tmp_path / "b", rows(counts={2022: COUNTS | now}), "2023-01-01")
    assert leaks(second, first)[0] == 0


@pytest.mark.parametrize(
    ("parts", "leaking"),
    [((5.0, 4.0), {EXACT: 2}), ((5.0, None), {}), ((8.0, "1 or 2"), {BELOW: 1})],
    ids=["both parts", "one part secret", "one part too small to show"],
)
def test_figures_divided_among_todays_areas_sum_to_what_was_counted(tmp_path, parts, leaking):
    release = write(tmp_path / "r", pd.concat([rows(blank=(SMALL, PARTNER)), divided(parts)], ignore_index=True))
    areas = pd.read_parquet(release / "parquet" / "dim_area.parquet")
    today = areas[areas["area_id"] == PARTNER].assign(valid_from=pd.Timestamp(2023, 1, 1))
    areas["valid_to"] = areas["valid_to"].where(areas["area_id"] != PARTNER, pd.Timestamp(2022, 12, 31))
    pd.concat([areas, *(today.assign(area_id=area) for area in NEW)]).to_parquet(
        release / "parquet" / "dim_area.parquet"
    )
    pd.DataFrame({"old_area_id": PARTNER, "new_area_id": NEW, "valid_from": pd.Timestamp(2023, 1, 1)}).to_parquet(
        release / "parquet" / "bridge_area_version.parquet"
    )
    found = leaks(release)[1]
    assert {verdict: count for verdict, count in found.items() if count and verdict != SAFE} == leaking


NEW = [f"{A}-04", f"{A}-05"]


def divided(parts):
    """Rows of the areas that PARTNER (9 children) became; None: secret, text: too small to show."""
    table = rows(blank=(), indicators=("kinder",)).iloc[:2].reset_index(drop=True)
    shown = [part if isinstance(part, float) else np.nan for part in parts]
    status = ["suppressed" if part is None else "unreliable" if isinstance(part, str) else "ok" for part in parts]
    return table.assign(
        area_id=NEW,
        boundary="current",
        value=shown,
        numerator=shown,
        value_status=status,
        conversion_method=["einwohnergewichtet" if part is not None else None for part in parts],
    )


def test_the_release_says_which_minimum_holds_and_whether_zeros_are_shown(tmp_path):
    release = write(tmp_path / "r", rows(blank=(SMALL, PARTNER)))
    rule = pd.DataFrame({"measure_id": ["sgb2_under_15"], "minimum": [12], "zeros_shown": [True]})
    assert leaks(release)[0] == 0
    rule.to_parquet(release / "parquet" / "meta_disclosure_rule.parquet")
    # 2 + 9 are known to be 11: neither can be 12
    assert leaks(release)[1][BELOW] == 2
    counts = COUNTS | {SMALL: 1, PARTNER: 2}
    small = write(tmp_path / "s", rows(counts={2022: counts}, blank=(SMALL, PARTNER)))
    assert leaks(small)[1][BELOW] == 2
    rule.assign(minimum=3, zeros_shown=False).to_parquet(small / "parquet" / "meta_disclosure_rule.parquet")
    # 0 and 3 are possible too
    assert leaks(small)[0] == 0
    # What keeps no secret is not judged; of an amount that one provider dominates an exact one is.
    single = write(tmp_path / "t", rows(blank=(SMALL,)))
    assert leaks(single)[1][EXACT] == 1
    for percent, count in ((np.nan, 0), (10.0, 1)):
        table = rule.assign(minimum=0, dominance_percent=percent)
        table.to_parquet(single / "parquet" / "meta_disclosure_rule.parquet")
        assert leaks(single)[0] == count


def test_the_command_counts_and_tells_no_value(tmp_path, capsys):
    home = Home(tmp_path)
    release = write(tmp_path / "releases" / "2022-aa", rows(blank=(SMALL,)))
    assert print_audit(home, "2022-aa", alone=True, minimum=3) == 1
    told = capsys.readouterr().out
    assert "1  genau zu errechnen" in told and "FEHLER" in told and SMALL not in told
    assert print_audit(home, str(release), alone=False, minimum=2) == 1
    assert print_audit(home, "2022-bb", alone=False, minimum=3) == 2
    write(tmp_path / "releases" / "2022-cc", rows(blank=(SMALL, PARTNER)))
    assert print_audit(home, "2022-cc", alone=True, minimum=3) == 0
