"""What a check found, in words a steward can forward.

The record only. Who checks (readers, Great Expectations suites) and who reports (control tables, rejection
report) live elsewhere. A finding never carries a value of a personal column.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from orchestration.feeds.names import visible

MAX_ROWS = 20
LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class Finding:
    """One rule applied to one delivery (or table): passed, or what is wrong, where, and how to mend it.

    `severity` is `error` or `warning`; `found` and `expected` are German; `rows` are the first row numbers
    as a person sees them in the file (at most `MAX_ROWS`); `n_rows` counts all of them (0 when passed). `shown` are
    values of aggregated columns: they may be small counts, so only the deliverer sees them (`full_found`,
    `full_message`), and neither logs, Dagster nor a release. `waiver` is the steward's exception (German) that made an
    error a warning. `details` are (row, what was found there) for the table of findings; they are kept nowhere else.
    `cells` are the figures of the warehouse that it is about (area, year, measure): a release that keeps one of them
    secret tells neither area nor values.
    """

    expectation: str
    message: str
    severity: str = "error"
    passed: bool = False
    column_name: str | None = None
    n_rows: int = 0
    found: str | None = None
    shown: str | None = None
    expected: str | None = None
    hint: str | None = None
    rows: tuple[int, ...] = ()
    gate: str = "delivery"
    delivery_id: str | None = None
    feed: str | None = None
    deliverer: str | None = None
    year: int | None = None
    area_id: str | None = None
    waiver: str | None = None
    waiver_id: str | None = None
    details: tuple[tuple[int, str], ...] = field(default=(), compare=False, repr=False)
    cells: tuple[tuple[str, int, str], ...] = field(default=(), compare=False, repr=False)

    @property
    def is_error(self) -> bool:
        return not self.passed and self.severity == "error"

    @property
    def is_warning(self) -> bool:
        return not self.passed and self.severity == "warning"

    @property
    def full_found(self) -> str:
        """What was found, with the values that the deliverer may see again."""
        found = self.found or self.message
        return f"{found}; geliefert: {self.shown}" if self.shown else found

    @property
    def full_message(self) -> str:
        """The message with the values that the deliverer may see again."""
        if not self.shown:
            return self.message
        return self._with_waiver(
            sentence(self.full_found, self.expected, self.hint, self.column_name, self.rows, self.n_rows)
        )

    @property
    def public_message(self) -> str:
        """The message without row numbers and values: they are for the deliverer, a reader could count persons."""
        if self.passed or self.found is None:
            return self.message
        return self._with_waiver(sentence(self.found, self.expected, self.hint, self.column_name))

    def _with_waiver(self, message: str) -> str:
        return f"{message} {self.waiver.rstrip('.')}." if self.waiver else message

    def fit_to_show(self) -> Finding:
        """Headers and cells that strangers wrote cannot steer a terminal or fill a report: one line, cut, visible."""
        texts = {name: getattr(self, name) for name in ("message", "column_name", "found", "shown", "expected", "hint")}
        fit: dict[str, Any] = {name: text and visible(text, LONGEST_TEXT) for name, text in texts.items()}
        details = tuple((row, visible(text, LONGEST_TEXT)) for row, text in self.details)
        return replace(self, **fit, details=details)

    def as_json(self) -> dict[str, Any]:
        record = asdict(replace(self, details=(), cells=()))
        del record["details"], record["cells"]
        return {**record, "rows": list(self.rows)}

    @staticmethod
    def from_json(record: dict[str, Any]) -> Finding:
        return Finding(**{**record, "rows": tuple(record["rows"])})


def german_number(number: float) -> str:
    """`34504` → `34.504`; decimals with a comma, at most three."""
    if float(number).is_integer():
        return f"{int(number):,}".replace(",", ".")
    text = f"{number:,.3f}".rstrip("0")
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")


def counted(number: int, singular: str, plural: str) -> str:
    """`1, "Hinweis", "Hinweise"` → `1 Hinweis`."""
    return f"{german_number(number)} {singular if number == 1 else plural}"


def row_list(rows: tuple[int, ...], n_rows: int) -> str:
    """`(5, 9), 2` → `Zeilen 5, 9`; long lists end with `…`."""
    if not rows:
        return ""
    shown = ", ".join(str(row) for row in rows[:10])
    more = ", …" if n_rows > min(len(rows), 10) else ""
    return f"{'Zeile' if n_rows == 1 else 'Zeilen'} {shown}{more}"


def sentence(
    found: str,
    expected: str | None = None,
    hint: str | None = None,
    column: str | None = None,
    rows: tuple[int, ...] = (),
    n_rows: int = 0,
) -> str:
    """The message of a finding: what, where, what was expected, how to mend it."""
    where = row_list(rows, n_rows)
    if n_rows > 1 and where:
        where = f"{german_number(n_rows)} Zeilen: {where.removeprefix('Zeilen ')}"
    parts = [f"Spalte „{column}“: {found}" if column else found]
    if where:
        parts[0] += f" ({where})"
    if expected:
        parts.append(f"Erwartet: {expected}")
    if hint:
        parts.append(hint)
    return " ".join(part.rstrip(".") + "." for part in parts)


def structural(
    expectation: str,
    found: str,
    expected: str | None = None,
    hint: str | None = None,
    *,
    column: str | None = None,
    rows: tuple[int, ...] = (),
    n_rows: int = 0,
    severity: str = "error",
) -> Finding:
    """A finding of a reader: the file cannot be what was agreed."""
    return Finding(
        expectation=expectation,
        message=sentence(found, expected, hint, column, rows, n_rows),
        severity=severity,
        column_name=column,
        n_rows=n_rows,
        found=found,
        expected=expected,
        hint=hint,
        rows=rows[:MAX_ROWS],
    )
