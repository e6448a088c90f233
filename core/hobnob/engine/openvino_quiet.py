"""The only door to OpenVINO: importing it elsewhere would tell its maker that it is used."""

import sys
from importlib import import_module
from typing import Any

TELEMETRY = "openvino_telemetry"


def import_openvino() -> tuple[Any, Any]:
    """The modules openvino and openvino_genai, without their telemetry. Raises ImportError.

    Just importing openvino sends a message with a lasting id of this user to a web analytics
    service, unless a file in the home folder forbids it. It does without the package that sends;
    a module that is None can't be imported:
    https://docs.python.org/3/reference/import.html#the-module-cache
    """
    if "openvino" not in sys.modules:
        sys.modules[TELEMETRY] = None  # type: ignore[assignment]
    return import_module("openvino"), import_module("openvino_genai")
