"""Bad deliveries in the real job: each is rejected with a message to forward, and nothing published changes."""

from __future__ import annotations

import shutil

import duckdb
import pytest
from conftest import ipso, release_connection

from demo import corrupt
from orchestration.home import Home

pytestmark = pytest.mark.integration
