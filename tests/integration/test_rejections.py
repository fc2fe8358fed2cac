"""Bad deliveries in the real job: each is rejected with a message to forward, and nothing published changes."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration
