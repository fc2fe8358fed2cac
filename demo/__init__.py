"""The synthetic demo county: deterministic, calibrated to published totals, labelled as synthetic in every file.

Writes deliveries like a real county's; nothing in `orchestration` may depend on it to process a delivery.
"""

DEMO_VERSION = "10"
"""Raise whenever the bytes of a delivery change."""
