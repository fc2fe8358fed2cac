"""What a failed step may say: exceptions of the libraries quote cells, and Dagster keeps and shows their texts.

Only the texts of our own exceptions, and of those that speak of files and processes, get through. Of all others the
class and the places in our code remain; whoever may see the data finds the rest by repeating the step.
"""

from __future__ import annotations

import inspect
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import dagster as dg
import duckdb

from orchestration.home import REPOSITORY

SPEAK_OF_FILES = (OSError, ImportError, duckdb.IOException, subprocess.CalledProcessError)
P = ParamSpec("P")
R = TypeVar("R")
NOT_QUOTED = "Wortlaut nicht gezeigt, weil er Angaben aus einer Lieferung enthalten kann"


def discreet(function: Callable[P, R]) -> Callable[P, R]:
    """For the function of an asset or a check: what it raises quotes no cell."""
    if inspect.isgeneratorfunction(function):

        @wraps(function)
        def generator(*arguments: P.args, **named: P.kwargs) -> Any:
            with without_values():
                yield from function(*arguments, **named)

        return generator

    @wraps(function)
    def plain(*arguments: P.args, **named: P.kwargs) -> R:
        with without_values():
            return function(*arguments, **named)

    return plain


@contextmanager
def without_values() -> Iterator[None]:
    """Raises dagster.Failure instead of anything whose text or cause might quote a cell."""
    try:
        yield
    except Exception as error:
        raise _told(error) from None


def _told(error: Exception) -> Exception:
    if isinstance(error, dg.Failure):
        return error
    places = _places(error)
    kind = type(error).__name__
    if type(error).__module__.startswith("orchestration.") or isinstance(error, SPEAK_OF_FILES):
        text = str(error)
    else:
        text = f"{kind}{f' bei {places[-1]}' if places else ''} ({NOT_QUOTED})"
    return dg.Failure(text, metadata={"Art": kind, "Stellen": dg.MetadataValue.md("\n".join(f"- {p}" for p in places))})


def _places(error: BaseException) -> list[str]:
    """`folder/file.py:line function` of the frames in our own code, outermost first; no source lines, no values."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(REPOSITORY / "orchestration")]
    return [f"{Path(f.filename).relative_to(REPOSITORY)}:{f.lineno} {f.name}" for f in ours if f.filename != __file__]
