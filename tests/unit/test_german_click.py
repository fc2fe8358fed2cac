"""A mistyped call of `ipso` is answered in German and ends with 2."""

import pytest
from click.testing import CliRunner

from orchestration.cli import main


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["stat"], "Den Befehl „stat“ gibt es nicht. Gemeint ist vielleicht: status."),
        (["status", "--foo"], "Die Option --foo gibt es nicht."),
        (["check"], "Es fehlt: DATEIEN."),
        (["run", "--jahr", "bald"], "--year/--jahr: erwartet ist eine ganze Zahl."),
        (["demo", "heute"], "Zu viel angegeben: heute"),
        (["vertrag", "gibtesnicht"], "Die Art „gibtesnicht“ gibt es nicht."),
    ],
)
def test_a_call_that_does_not_fit_is_explained(call: list[str], said: str) -> None:
    result = CliRunner().invoke(main, call)
    assert result.exit_code == 2
    assert said in result.output
    assert "Hilfe: " in result.output
    assert "Error" not in result.output


def test_help_ends_with_zero() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Aufruf: ")
