"""Telegram for hobnob."""

import os

os.environ.setdefault("PTB_TIMEDELTA", "1")  # the library's own way to spans of time that last
