"""Reading times: "next Friday around 8", "halb acht", "明天下午三点"."""

from hobnob.assistant.when.reading import change, read, request
from hobnob.assistant.when.records import Doubt, Reading, When

__all__ = ["Doubt", "Reading", "When", "change", "read", "request"]
