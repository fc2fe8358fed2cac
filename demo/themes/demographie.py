"""Demo feeds of the theme Demographie: movements, households, official population."""

from __future__ import annotations

from demo.files import DemoFeed

FEEDS: dict[str, DemoFeed] = {}
