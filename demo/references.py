"""Figures of another source about the same Kreis, in the form of INKAR: invented near the demo's own ones.

One text with all years, as INKAR gives it: a year that became a float, and blanks where nothing was published. One
figure contradicts the registers on purpose: the share of foreigners of 2022 does not know the refugees of that year.
"""

from __future__ import annotations

from demo.themes.common import course

YEARS = range(2015, 2023)
YEAR = max(YEARS)
"""The year of the delivery."""
# Variable → value in 2015 and in 2023, moving evenly between.
_COURSES = {
    "share_65plus": (22.8, 24.4),
    "median_age": (45.3, 46.6),
    "share_foreign": (8.7, 11.0),
    "unemployment_rate": (6.2, 6.0),
    "share_longterm_unemployed": (37.1, 38.3),
    "share_abitur": (44.6, 41.9),
    "share_no_degree": (4.4, 5.2),
    "childcare_under3": (33.5, 39.1),
    "childcare_3to6": (92.1, 90.2),
    "living_space_per_capita": (46.0, 48.2),
}
_UNTIL_2020 = ("childcare_under3", "childcare_3to6")
SOURCE = "synthetische Demodaten (ipSo) in der Form von INKAR"


def references() -> str:
    """Delimited text, one row per year."""
    lines = [";".join(["county_code", "year", *_COURSES, "source"])]
    for year in YEARS:
        values = [
            "" if year > 2020 and name in _UNTIL_2020 else f"{course(year, *ends):.2f}"
            for name, ends in _COURSES.items()
        ]
        lines.append(";".join(["05378", f"{year}.0", *values, SOURCE]))
    return "\r\n".join(lines) + "\r\n"
