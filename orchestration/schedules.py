"""When the job runs by itself: every year, and every second year for the Sozialbericht."""

from datetime import datetime

import dagster as dg

ANNUAL_CRON = "0 6 1 7 *"
"""1 July, 6 o'clock: register, Jobcenter and Landesamt have delivered the year before by then."""
BIENNIAL_CRON = "0 6 1 10 *"
TIMEZONE = "Europe/Berlin"


def is_report_year(year: int) -> bool:
    """The Sozialbericht appears in odd years."""
    return year % 2 == 1


def run_request(year: int, title: str) -> dg.RunRequest:
    """A run over the figures of `year`; the key keeps a tick that is evaluated twice from running twice."""
    return dg.RunRequest(
        run_key=f"{title}-{year}",
        partition_key=str(year),
        tags={"ipso/anlass": title},
    )


def build_schedules(job_name: str) -> list[dg.ScheduleDefinition]:
    """The annual and the biennial schedule."""

    @dg.schedule(
        name="jaehrlich",
        job_name=job_name,
        cron_schedule=ANNUAL_CRON,
        execution_timezone=TIMEZONE,
        description="Jedes Jahr am 1. Juli: Zahlen des Vorjahres verarbeiten und veröffentlichen.",
    )
    def annual(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return run_request(_when(context).year - 1, "jaehrlich")

    @dg.schedule(
        name="sozialbericht_zweijaehrlich",
        job_name=job_name,
        cron_schedule=BIENNIAL_CRON,
        execution_timezone=TIMEZONE,
        description="Am 1. Oktober ungerader Jahre: Sozialbericht. Cron kennt keine zwei Jahre, deshalb"
        " läuft der Zeitplan jährlich und überspringt gerade Jahre.",
    )
    def biennial(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        year = _when(context).year
        if not is_report_year(year):
            return dg.SkipReason(f"{year} ist kein Berichtsjahr; der Sozialbericht erscheint in ungeraden Jahren.")
        return run_request(year - 1, "sozialbericht")

    return [annual, biennial]


def _when(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time
