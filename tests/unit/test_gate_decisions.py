"""What the steward decides: an exception with an end, a delivery taken back; and what a rebuild makes of it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration.cli import main
from orchestration.feeds.intake import Delivery, deliveries, receive
from orchestration.gates import decisions as made
from orchestration.gates import judgement
from orchestration.gates.decisions import Decision, load_decisions
from orchestration.gates.delivery import check_file, judge, write_control
from orchestration.gates.directory import accepted_raw, knows_all_decisions
from orchestration.gates.verdicts import REPORT, TABLE, Verdict, load_verdict, raw_path
from orchestration.home import Home
from orchestration.lock import exclusive
from orchestration.release.identity import identify
from tests.fixtures.feeds import deliveries as files

REGISTER = "bergisch-gladbach/einwohner_2020.csv"


@pytest.fixture(autouse=True)
def official(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {("05378004", year): files.N_PERSONS for year in range(2015, 2024)}
    monkeypatch.setattr(judgement, "official_population", lambda: figures)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def deliver(home: Home, data: bytes, name: str = REGISTER) -> Delivery:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    before = {d.delivery_id for d in deliveries(home)}
    receive(home, settle_seconds=0)
    judge(home, "einwohner")
    return next((d for d in deliveries(home) if d.delivery_id not in before), deliveries(home)[-1])


def run(home: Home, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home.root), *arguments])


def in_days(days: int) -> str:
    return (dt.datetime.now(made.BERLIN).date() + dt.timedelta(days=days)).strftime("%d.%m.%Y")


def waive(home: Home, rule: str, *more: str) -> Result:
    return run(home, "waive", "--feed", "einwohner", "--regel", rule, "--bis", in_days(30), "--grund", "Altfall", *more)


def states(home: Home) -> list[str]:
    judge(home, "einwohner")
    return list(write_control(home)["state"])


def verdict(home: Home, delivery: Delivery) -> Verdict:
    stored = load_verdict(home, delivery.delivery_id)
    assert stored is not None
    return stored


def too_old() -> bytes:
    return files.text_file(files.with_cell(files.register_lines(), 7, "Geburtsdatum", "31.12.1904"))


# --- waivers ---------------------------------------------------------------------------------------------------------


def test_a_waiver_turns_the_error_into_a_warning_that_says_why_and_until_when(home: Home) -> None:
    delivery = deliver(home, too_old())
    assert not verdict(home, delivery).accepted
    assert waive(home, "age_is_plausible", "--lieferant", "bergisch-gladbach", "--jahr", "2020").exit_code == 0
    assert load_verdict(home, delivery.delivery_id) is None, "a verdict from before the waiver no longer holds"
    judge(home, "einwohner")
    now = verdict(home, delivery)
    assert now.accepted and now.n_warnings == 1
    [finding] = [f for f in now.findings if f.is_warning]
    assert f"Ausnahme bis {in_days(30)}: Altfall." in finding.message
    assert f"Ausnahme bis {in_days(30)}: Altfall." in finding.public_message
    assert not (home.rejected / delivery.delivery_id).exists()


def test_what_is_rejected_after_all_leaves_no_rows_behind(home: Home) -> None:
    delivery = deliver(home, too_old())
    waive(home, "age_is_plausible")
    judge(home, "einwohner")
    assert raw_path(home, delivery).exists()
    for decision in (home.archive / "decisions").iterdir():
        decision.unlink()
    judge(home, "einwohner")
    assert not verdict(home, delivery).accepted
    assert not raw_path(home, delivery).exists()


@pytest.mark.parametrize(
    "scope",
    [
        ("--lieferant", "burscheid"),
        ("--jahr", "2021"),
        ("--spalte", "Ostwert"),
    ],
)
def test_a_waiver_covers_only_what_it_names(home: Home, scope: tuple[str, str]) -> None:
    delivery = deliver(home, too_old())
    assert waive(home, "age_is_plausible", *scope).exit_code == 0
    judge(home, "einwohner")
    assert not verdict(home, delivery).accepted


@pytest.mark.parametrize("column", ["Geburtsdatum", "geburtsdatum"])
def test_a_column_is_named_as_in_the_file_or_as_in_the_declaration(home: Home, column: str) -> None:
    delivery = deliver(home, too_old())
    assert waive(home, "age_is_plausible", "--spalte", column).exit_code == 0
    judge(home, "einwohner")
    assert verdict(home, delivery).accepted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--regel", "column_exists"), "Von der Regel „column_exists“ ist keine Ausnahme möglich"),
        (("--regel", "file_is_complete"), "muss berichtigt werden"),
        (("--regel", "gibt_es_nicht"), "age_is_plausible"),
        (("--regel", "age_is_plausible", "--bis", "01.01.2020"), "ist vorbei"),
        (("--regel", "age_is_plausible", "--bis", "01.01.2099"), "höchstens 2 Jahre"),
        (("--regel", "age_is_plausible", "--bis", "morgen"), "TT.MM.JJJJ"),
        (("--regel", "age_is_plausible"), "letzten Tag"),
        (("--regel", "age_is_plausible", "--bis", in_days(1), "--grund", " "), "Grund"),
        (("--regel", "age_is_plausible", "--bis", in_days(1), "--lieferant", "koeln"), "liefert einwohner nicht"),
        (("--regel", "age_is_plausible", "--bis", in_days(1), "--jahr", "1990"), "1990"),
        (("--regel", "age_is_plausible", "--bis", in_days(1), "--spalte", "Religion"), "Religion"),
    ],
)
def test_what_cannot_be_waived_is_refused_and_nothing_recorded(
    home: Home, arguments: tuple[str, ...], words: str
) -> None:
    result = run(home, "waive", "--feed", "einwohner", "--grund", "x", *arguments)
    assert result.exit_code == 1 and words in result.output
    assert load_decisions(home).all == ()


def test_a_decision_file_about_the_files_structure_has_no_effect(home: Home) -> None:
    data = files.text_file(files.without_column(files.register_lines(), "Geburtsdatum"))
    made.record(
        home,
        Decision(
            "", made.WAIVER, made.now(), "x", "x", feed="einwohner", expectation="column_exists", expires="2099-01-01"
        ),
    )
    assert not verdict(home, deliver(home, data)).accepted


def received(delivery: Delivery, moment: str) -> Delivery:
    return Delivery(**{**delivery.__dict__, "received": moment})


def test_whether_a_waiver_covers_depends_on_the_day_of_receipt_in_local_time(home: Home) -> None:
    delivery = deliver(home, too_old())
    waiver = Decision("w", made.WAIVER, "2026-01-01T00:00:00+00:00", "x", "x", feed="einwohner", expires="2026-03-31")
    decisions = made.Decisions((waiver,))
    assert decisions.waivers_for(received(delivery, "2026-03-31T21:59:59+00:00")) == (waiver,)
    assert decisions.waivers_for(received(delivery, "2026-03-31T22:00:01+00:00")) == ()
    assert decisions.waivers_for(received(delivery, "2025-03-31T22:00:01+00:00")) == (waiver,), "received before it"


def test_an_ended_waiver_still_covers_what_came_before_its_end(home: Home) -> None:
    first = deliver(home, too_old())
    waive(home, "age_is_plausible")
    judge(home, "einwohner")
    [waiver] = load_decisions(home).waivers
    assert run(home, "waive", "--end", waiver.decision_id, "--grund", "erledigt").exit_code == 0
    assert "schon beendet" in run(home, "waive", "--end", waiver.decision_id, "--grund", "erledigt").output
    assert "beendet am" in run(home, "waive", "--list").output
    later = deliver(home, too_old().replace(b"Hauptstra", b"Nebenstra"))
    assert verdict(home, first).accepted and not verdict(home, later).accepted


def test_checking_a_file_applies_the_waivers_of_the_installation(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "neu.csv"
    path.write_bytes(too_old())
    address = ("einwohner", "bergisch-gladbach", 2020)
    assert not check_file(path, *address, home=home).accepted
    waive(home, "age_is_plausible")
    assert check_file(path, *address, home=home).accepted


# --- withdrawals ---------------------------------------------------------------------------------------------------


def test_a_withdrawn_delivery_falls_back_to_the_one_before_and_can_be_reinstated(home: Home) -> None:
    first = deliver(home, files.register())
    second = deliver(home, files.text_file(files.with_cell(files.register_lines(), 7, "Geburtsdatum", "01.02.1950")))
    assert states(home) == ["superseded", "accepted"]
    before = identify(home)
    result = run(home, "withdraw", second.delivery_id, "--reason", "falsche Datei")
    assert result.exit_code == 0 and first.delivery_id in result.output
    assert not knows_all_decisions(home), "the next run has something to do"
    table = write_control(home).set_index("delivery_id")
    assert table["state"].to_dict() == {first.delivery_id: "accepted", second.delivery_id: "withdrawn"}
    assert "falsche Datei" in table["public_reason"][second.delivery_id] and knows_all_decisions(home)
    assert accepted_raw(home, "einwohner")["bergisch-gladbach", 2020].stem == first.delivery_id
    between = identify(home)
    assert before is not None and between is not None and between.release_id != before.release_id
    assert between.created > before.created
    assert run(home, "withdraw", second.delivery_id, "--undo", "--reason", "doch richtig").exit_code == 0
    assert states(home) == ["superseded", "accepted"]
    assert identify(home) == before, "back to the same release, byte for byte"


def test_only_a_delivery_that_counts_can_be_withdrawn(home: Home) -> None:
    rejected, accepted = deliver(home, too_old()), deliver(home, files.register())
    assert "abgewiesen" in run(home, "withdraw", rejected.delivery_id, "--reason", "x").output
    assert "gibt es nicht" in run(home, "withdraw", "einwohner-x", "--reason", "x").output
    assert "Grund" in run(home, "withdraw", accepted.delivery_id).output
    assert "nicht zurückgenommen" in run(home, "withdraw", accepted.delivery_id, "--undo", "--reason", "x").output
    assert load_decisions(home).all == ()


def test_a_withdrawn_file_that_is_delivered_again_counts_again(home: Home) -> None:
    first = deliver(home, files.register())
    run(home, "withdraw", first.delivery_id, "--reason", "Missverständnis")
    again = deliver(home, files.register())
    assert again.delivery_id == f"{first.delivery_id}-2"
    assert states(home) == ["withdrawn", "accepted"]
    assert deliver(home, files.register()) == again, "delivered once more, it is what lies there already"


def test_an_older_file_delivered_again_after_its_correction_is_the_valid_one(home: Home) -> None:
    correction = files.text_file(files.with_cell(files.register_lines(), 7, "Geburtsdatum", "01.02.1950"))
    first, _, again = (deliver(home, data) for data in (files.register(), correction, files.register()))
    assert again.delivery_id == f"{first.delivery_id}-2"
    assert states(home) == ["superseded", "superseded", "accepted"]
    assert deliver(home, files.register()) == again


def test_a_file_filed_under_a_wrong_year_may_come_under_the_right_one_once_it_is_withdrawn(home: Home) -> None:
    waive(home, "reference_date_is_expected")
    wrong = deliver(home, files.register(2020), "bergisch-gladbach/einwohner_2021.csv")
    right = deliver(home, files.register(2020))
    assert verdict(home, wrong).accepted and not verdict(home, right).accepted
    run(home, "withdraw", wrong.delivery_id, "--reason", "falsches Jahr")
    assert states(home) == ["withdrawn", "accepted"]


# --- the archive is enough -------------------------------------------------------------------------------------------


def test_a_rebuild_from_the_archive_alone_gives_the_same_states_and_the_same_release(home: Home) -> None:
    waived = deliver(home, too_old())
    waive(home, "age_is_plausible")
    deliver(home, files.register())
    run(home, "withdraw", deliveries(home)[-1].delivery_id, "--reason", "falsche Datei")
    judge(home, "einwohner")
    before = write_control(home), identify(home)
    for folder in (home.raw, home.control, home.rejected):
        shutil.rmtree(folder)
    home.create()
    judge(home, "einwohner")
    after = write_control(home), identify(home)
    assert before[0].equals(after[0]) and before[1] == after[1]
    assert list(after[0]["state"]) == ["accepted", "withdrawn"] and verdict(home, waived).accepted


def test_a_waiver_belongs_to_the_release_once_it_changes_something_there(home: Home) -> None:
    deliver(home, files.register(), REGISTER)
    write_control(home)
    before = identify(home)
    waive(home, "age_is_plausible")
    judge(home, "einwohner")
    write_control(home)
    assert identify(home) == before, "it has covered nothing yet"
    both = files.with_cell(files.register_lines(), 7, "Geburtsdatum", "31.12.1904")
    deliver(home, files.text_file(files.with_cell(both, 8, "Geschlecht", "q")))
    write_control(home)
    assert identify(home) == before, "covered something in a delivery that is rejected all the same"
    deliver(home, too_old())
    write_control(home)
    after = identify(home)
    assert before is not None and after is not None and after.release_id != before.release_id


def test_decisions_are_not_recorded_while_a_run_is_under_way(home: Home) -> None:
    with exclusive(home):
        result = waive(home, "age_is_plausible")
    assert result.exit_code == 1 and "läuft schon" in result.output
    assert load_decisions(home).all == ()


def test_a_decision_says_who_when_and_why(home: Home) -> None:
    waive(home, "age_is_plausible", "--von", "A. Beispiel")
    [path] = (home.archive / "decisions").iterdir()
    record = json.loads(path.read_text(encoding="utf-8"))
    assert (record["by"], record["reason"], record["feed"]) == ("A. Beispiel", "Altfall", "einwohner")
    assert dt.datetime.fromisoformat(record["decided"]).tzinfo is not None
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_status_tells_of_waivers_rejections_and_history(home: Home) -> None:
    first = deliver(home, too_old())
    write_control(home)
    shown = run(home, "status").output
    assert "[age_is_plausible]" in shown and str(home.rejected / first.delivery_id / REPORT) in shown.replace("\n", "")
    assert (home.rejected / first.delivery_id / TABLE).exists()
    waive(home, "age_is_plausible")
    judge(home, "einwohner")
    write_control(home)
    shown = run(home, "status", "--feed", "einwohner").output
    assert "läuft in 30 Tagen ab" in shown and "Altfall" in shown and "Abgewiesen" not in shown
    history = run(home, "status", "--lieferant", "bergisch-gladbach", "--jahr", "2020").output
    assert first.delivery_id in history and "in Kraft" in history
