"""The old place of `hmt.callbacks`."""

from hmt.callbacks import *  # noqa: F401,F403
from hmt.callbacks import callback  # noqa: F401
