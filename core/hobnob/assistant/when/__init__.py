"""Reading times: "next Friday around 8", "halb acht", "明天下午三点"."""

from hobnob.assistant.when.reading import Doubt, Reading, When, read, request

__all__ = ["Doubt", "Reading", "When", "read", "request"]
