"""What the server that workers are forked from does once; to import this module is all there is to it."""

import orchestration.gates.delivery  # noqa: F401 - a worker finds it imported
from orchestration.feeds.declaration import load_feeds
from orchestration.gates.engine import great_expectations

great_expectations()
load_feeds()
