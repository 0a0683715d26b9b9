"""Definitions that the builders of packages share."""

import os

TOOLS = ["hmt", "hmt-build", "hmt-merge", "hmt-mock", "hmt-record", "hmt-replay"]
# Times in packages, so that the same inputs give the same bytes.
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))
# The level of compression.
LEVEL = int(os.environ.get("HMT_LEVEL", "9"))
