"""Imports Great Expectations without what our suites never use: a third of the time, the same judgements.

SciPy's statistics and Altair are loaded when something first touches them (no rule of ours does); SQLAlchemy is an
optional part of Great Expectations and is not offered to it: our gates hand it data frames. Where other code has
imported these before, nothing changes. Knows no rule and no frame.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

LATER = frozenset({"scipy.stats", "altair"})
WITHOUT = frozenset({"sqlalchemy"})
_lock = threading.Lock()


def great_expectations() -> ModuleType:
    """The module, imported on the first call."""
    with _lock:
        if "great_expectations" not in sys.modules:
            with _lean_imports():
                importlib.import_module("great_expectations")
    return sys.modules["great_expectations"]


class _Lean(importlib.abc.MetaPathFinder):
    """Acts on imports of the thread that made it only."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if threading.get_ident() != self.thread:
            return None
        if name.partition(".")[0] in WITHOUT:
            raise ModuleNotFoundError(f"not offered to Great Expectations: {name}", name=name)
        if name not in LATER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def _lean_imports() -> Iterator[None]:
    """Only inside: afterwards, everything can be imported as ever."""
    finder = _Lean()
    collecting = gc.isenabled()
    # Imports make much and throw away little: collecting garbage among it costs a tenth of the time.
    gc.disable()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if collecting:
            gc.enable()
