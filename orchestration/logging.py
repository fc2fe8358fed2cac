"""What a person sees in the terminal while the job runs: our own German lines and what went wrong, nothing else."""

from __future__ import annotations

import logging
import sys

import dagster as dg


class OurLines(logging.Filter):
    """Lets through what an asset says itself; Dagster's own events stay in the event log."""

    def filter(self, record: logging.LogRecord) -> bool:
        meta = getattr(record, "dagster_meta", {})
        return not meta.get("dagster_event") and record.levelno >= logging.INFO


class Plain(logging.Formatter):
    """The bare message, indented under its stage."""

    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        text = str(meta.get("orig_message") or record.getMessage())
        return "\n".join(f"  {line}" for line in text.splitlines())


@dg.logger(description="Fortschritt in deutscher Sprache auf dem Terminal")
def terminal_logger(init_context: dg.InitLoggerContext) -> logging.Logger:
    """One line per `context.log.info` of our assets."""
    logger = logging.Logger("ipso")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Plain())
    handler.addFilter(OurLines())
    logger.addHandler(handler)
    return logger
