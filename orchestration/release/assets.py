"""Dagster assets from marts to what readers see: the release, its gate, the switch, the report."""

import shutil

import dagster as dg

from orchestration.disclosure.earlier import told_by
from orchestration.discreet import discreet
from orchestration.gates.release import check_release
from orchestration.home import Home
from orchestration.logging import progress
from orchestration.release.changes import CHANGES, forget_values, write_changes
from orchestration.release.identity import ReleaseIdentity, identify
from orchestration.release.records import record_release
from orchestration.release.site import publish_site
from orchestration.release.write import current, switch, write_release
from orchestration.resources import HomeResource

CANDIDATE = dg.AssetKey(["release", "kandidat"])
LIVE = dg.AssetKey(["release", "aktuell"])
GROUP = "7_veroeffentlichung"
KEPT_RELEASES = 10


def build_release_assets(
    marts: list[dg.AssetKey],
) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Candidate, switch and report; and the blocking gate before the switch."""

    @dg.asset(
        key=CANDIDATE,
        deps=marts,
        group_name=GROUP,
        description="Neue Veröffentlichung, vollständig geschrieben, aber noch nicht sichtbar.",
    )
    @discreet
    def candidate(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
        folder = home.folder()
        release_id = _release_id(folder)
        write_release(folder, release_id, progress=progress(context))
        return dg.MaterializeResult(metadata={"Release": release_id})

    @dg.asset_check(
        asset=CANDIDATE,
        name="freigabetor",
        blocking=True,
        description="Ist die Veröffentlichung vollständig, unbeschädigt und ohne kleine Fallzahlen?",
    )
    @discreet
    def release_gate(context: dg.AssetCheckExecutionContext, home: HomeResource) -> dg.AssetCheckResult:
        folder = home.folder()
        findings = check_release(folder.releases / _release_id(folder))
        failed = [f for f in findings if not f.passed]
        errors = [f for f in failed if f.severity == "error"]
        for finding in failed:
            progress(context)(f"Freigabetor: {finding.message}")
        if not failed:
            progress(context)(f"Freigabetor: {len(findings)} Prüfungen bestanden")
        return dg.AssetCheckResult(
            passed=not errors,
            severity=dg.AssetCheckSeverity.ERROR,
            description=f"{len(errors)} Fehler" if errors else f"{len(findings)} Prüfungen bestanden",
            metadata={"Befunde": dg.MetadataValue.md("\n".join(f"- {f.message}" for f in failed) or "keine")},
        )

    @dg.asset(
        key=LIVE,
        deps=[CANDIDATE],
        group_name=GROUP,
        description="Die gültige Veröffentlichung: `releases/current`, umgeschaltet in einem Schritt.",
    )
    @discreet
    def live(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
        folder = home.folder()
        identity = _identity(folder)
        release_id = identity.release_id
        before = current(folder.releases)
        changes = write_changes(folder, before, release_id)
        record_release(folder, release_id, identity.inputs, told_by(folder.releases / release_id, folder))
        switch(folder.releases, release_id)
        _forget_old(folder)
        progress(context)(
            f"Freigegeben: {release_id}" + (f" (vorher {before})" if before not in (None, release_id) else "")
        )
        progress(context)(f"Geändert: {changes.sentence}")
        return dg.MaterializeResult(
            metadata={
                "Release": release_id,
                "vorher": changes.before or "keine",
                "Änderungen": changes.sentence,
                "Liste": dg.MetadataValue.path(str(changes.path)),
            }
        )

    @dg.asset(
        key=["report", "bericht"],
        deps=[LIVE],
        group_name=GROUP,
        description="Der deutsche Bericht (Evidence), gebaut nur aus der gültigen Veröffentlichung.",
    )
    @discreet
    def report(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
        site = publish_site(home.folder(), progress=progress(context))
        return dg.MaterializeResult(metadata={"Bericht": dg.MetadataValue.path(str(site))})

    return [candidate, live, report], [release_gate]


def _release_id(home: Home) -> str:
    return _identity(home).release_id


def _identity(home: Home) -> ReleaseIdentity:
    identity = identify(home)
    if identity is None:
        raise dg.Failure("Es ist keine Lieferung in Kraft; es gibt nichts zu veröffentlichen.")
    return identity


def _forget_old(home: Home) -> None:
    """Keep the newest releases; every older one can be rebuilt from the archive."""
    live = current(home.releases)
    complete = [
        p
        for p in home.releases.iterdir()
        if p.is_dir() and not p.is_symlink() and not p.name.startswith(".") and p.name != CHANGES
    ]
    for folder in sorted(complete, key=lambda p: p.stat().st_mtime, reverse=True)[KEPT_RELEASES:]:
        if folder.name != live:
            shutil.rmtree(folder)
            forget_values(home, folder.name)
