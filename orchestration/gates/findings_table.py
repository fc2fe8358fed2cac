"""The findings of a rejected delivery as a workbook to sort, tick off and send back: one row per failing row.

Text only, whatever a deliverer's file contains: nothing in it is ever a formula or a link. Values of personal columns
are not in it because they are not in findings.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import xlsxwriter  # type: ignore[import-untyped]

from orchestration.feeds.declaration import Feed
from orchestration.feeds.finding import Finding, german_number
from orchestration.feeds.intake import Delivery
from orchestration.gates.decisions import german_moment
from orchestration.gates.directory import utc
from orchestration.gates.verdicts import Verdict

MOST_LINES = 10_000
HEADERS = ("Zeile", "Spalte", "Schwere", "Gefunden", "Erwartet", "So beheben Sie es")
WIDTHS = (12, 24, 10, 52, 44, 52)
WHOLE_FILE = "ganze Datei"
SAFE = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def findings_workbook(delivery: Delivery, verdict: Verdict, feed: Feed | None) -> bytes:
    """XLSX with the sheets Befunde and Lieferung."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, SAFE) as book:
        # Not the clock: judged again, the same delivery gives the same bytes.
        book.set_properties({"created": utc(delivery.received)})
        _write_findings(book, verdict)
        _write_delivery(book, delivery, verdict, feed)
    return buffer.getvalue()


def _write_findings(book: xlsxwriter.Workbook, verdict: Verdict) -> None:
    sheet = book.add_worksheet("Befunde")
    head = book.add_format({"bold": True, "bottom": 2, "text_wrap": True, "valign": "top", "bg_color": "#E8ECEF"})
    text = book.add_format({"text_wrap": True, "valign": "top", "bottom": 4})
    number = book.add_format({"valign": "top", "align": "left", "bottom": 4})
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    for column, title in enumerate(HEADERS):
        sheet.write_string(0, column, title, head)
    last = 0
    for last, line in enumerate(_lines(verdict.findings), start=1):
        if isinstance(line[0], int):
            sheet.write_number(last, 0, line[0], number)
        for column, cell in enumerate(line):
            if isinstance(cell, str):
                sheet.write_string(last, column, cell, text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(last, 1), len(HEADERS) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&F&RSeite &P von &N")


def _lines(findings: tuple[Finding, ...]) -> Iterator[tuple[int | str, ...]]:
    """Errors first; of each finding its rows, and a line for those that are not listed."""
    wrong = [f for f in findings if f.is_error] + [f for f in findings if f.is_warning]
    left = MOST_LINES
    for finding in wrong:
        common = finding.expected or "", finding.hint or ""
        column = finding.column_name or WHOLE_FILE
        severity = "Fehler" if finding.is_error else "Hinweis"
        found = finding.found or finding.message
        details = finding.details or tuple((row, found) for row in finding.rows)
        note = f" – {finding.waiver}" if finding.waiver else ""
        for row, what in details[:left]:
            yield row, column, severity, what + note, *common
        listed = min(len(details), left)
        left -= listed
        if not details:
            yield WHOLE_FILE, finding.column_name or "", severity, finding.full_found + note, *common
        elif finding.n_rows > listed:
            more = f"… und {german_number(finding.n_rows - listed)} weitere Zeilen mit demselben Befund"
            yield "", column, severity, more, *common


def _write_delivery(book: xlsxwriter.Workbook, delivery: Delivery, verdict: Verdict, feed: Feed | None) -> None:
    sheet = book.add_worksheet("Lieferung")
    bold, text = book.add_format({"bold": True, "valign": "top"}), book.add_format({"text_wrap": True})
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 80)
    facts = {
        "Datei": delivery.file_name,
        "Lieferart": feed.title if feed else "nicht erkennbar",
        "Jahr": str(delivery.year or ""),
        "Eingegangen": german_moment(delivery.received),
        "Kennung": delivery.delivery_id,
        "Prüfsumme (SHA-256)": delivery.sha256,
        "Ergebnis": "angenommen" if verdict.accepted else "abgewiesen",
        "Zeilen": "Gezählt, wie Sie sie in der Datei sehen; die Kopfzeile zählt mit.",
    }
    for row, (name, value) in enumerate(facts.items()):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, value, text)
