"""Elections as the votemanager exports them: the real council elections, and invented turnouts at Bundestag elections.

Texts only. Results of the Bundestag elections are not to be had for the Kommunen here, so there are none: who may vote
and who did is invented around the real council elections, and no party gets a vote.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from demo.reference import council_elections, kommunen

_HEAD = "datum;wahl;ags;gebiet-nr;gebiet-name;max-schnellmeldungen;anz-schnellmeldungen;A1;A2;A3;A;B;B1;C;D"
_COUNCIL_COLUMNS = "a1 a2 a3 a b b1 c d cdu spd gruene fdp uebrige"


def election_days() -> list[dt.date]:
    """The days of the council elections, in order."""
    return sorted({dt.date.fromisoformat(row["wahltag"]) for row in council_elections()})


def council_election(day: dt.date) -> str:
    """The real result of one council election, one row per Kommune."""
    rows = [
        _row(day, "Ratswahl", row["area_id"], [row[column] for column in _COUNCIL_COLUMNS.split()])
        for row in council_elections()
        if row["wahltag"] == day.isoformat()
    ]
    return _text([f"{_HEAD};D1;D2;D3;D4;D5", *rows])


# Days and, in percent of the Kreis, invented: who votes, and who of those eligible asks for postal voting.
_TURNOUT = {2009: 75.8, 2013: 77.3, 2017: 80.4, 2021: 81.2}
_BY_POST = {2009: 21.0, 2013: 24.0, 2017: 29.0, 2021: 47.0}
BUNDESTAG_DAYS = [dt.date(2009, 9, 27), dt.date(2013, 9, 22), dt.date(2017, 9, 24), dt.date(2021, 9, 26)]


def bundestag_election(day: dt.date) -> str:
    """Who may vote follows the council elections without the 16- and 17-year-olds and citizens of other EU states;
    turnout differs between the Kommunen half as much as there."""
    rows = []
    for kommune in kommunen():
        eligible = round(0.955 * _council(kommune.area_id, "a", day))
        lead = _council(kommune.area_id, "b", day) / _council(kommune.area_id, "a", day) - _county_turnout(day)
        voters = round(eligible * (_TURNOUT[day.year] / 100 + lead / 2))
        by_post = round(eligible * _BY_POST[day.year] / 100)
        first, second = round(0.011 * voters), round(0.009 * voters)
        counts = [eligible - by_post, by_post, 0, eligible, voters, round(0.94 * by_post), first, voters - first]
        counts += [second, voters - second]
        rows.append(_row(day, "Bundestagswahl (Demodaten)", kommune.area_id, list(map(str, counts))))
    return _text([f"{_HEAD};E;F", *rows])


def _council(ags: str, column: str, day: dt.date) -> float:
    """A number of the council elections, moved evenly from one to the next."""
    rows = [row for row in council_elections() if row["area_id"] == ags]
    days = [dt.date.fromisoformat(row["wahltag"]).toordinal() for row in rows]
    return float(np.interp(day.toordinal(), days, [float(row[column]) for row in rows]))


def _county_turnout(day: dt.date) -> float:
    voters, eligible = (sum(_council(kommune.area_id, column, day) for kommune in kommunen()) for column in "ba")
    return voters / eligible


def _row(day: dt.date, election: str, ags: str, cells: list[str]) -> str:
    names = {kommune.area_id: kommune.name for kommune in kommunen()}
    return ";".join([f"{day:%d.%m.%Y}", election, ags, ags, names[ags], "1", "1", *cells])


def _text(lines: list[str]) -> str:
    return "\r\n".join(lines) + "\r\n"
