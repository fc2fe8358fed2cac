"""What a person sees in the terminal while the job runs: our own German lines and what went wrong, nothing else."""

import logging
import sys
from collections.abc import Callable

import dagster as dg

OURS = "ipso"


def progress(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Callable[[str], None]:
    """Says a German line in Dagster's event log and, while `ipso run` runs, on the terminal."""

    def say(line: str) -> None:
        context.log.info(line, extra={OURS: True})

    return say


class OurLines(logging.Filter):
    """Lets through what our assets say; Dagster's and dagster-dbt's own lines stay in the event log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return hasattr(record, OURS)


class Plain(logging.Formatter):
    """The bare message, indented under its stage."""

    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        text = str(meta.get("orig_message") or record.getMessage())
        return "\n".join(f"  {line}" for line in text.splitlines())


@dg.logger(config_schema=None, description="Fortschritt in deutscher Sprache auf dem Terminal")
def terminal_logger(init_context: dg.InitLoggerContext) -> logging.Logger:
    """One line per `context.log.info` of our assets."""
    logger = logging.Logger("ipso")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Plain())
    handler.addFilter(OurLines())
    logger.addHandler(handler)
    return logger
