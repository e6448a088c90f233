"""Whether OpenVINO can run a GGUF file as it is meant, from the file's header alone.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ARCHITECTURES = ("llama", "qwen2", "qwen3")
MATRICES = {1: "F16", 2: "Q4_0", 3: "Q4_1", 8: "Q8_0", 12: "Q4_K", 14: "Q6_K"}
"""Types of weights that come out as they went in; tried one by one (docs/decisions.md)."""
VECTORS = (0, 1)

NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"}
NUMBERS |= {10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
DAMAGED = (ValueError, KeyError, OverflowError, struct.error)
"""What reading nonsense raises."""


@dataclass(kw_only=True)
class Header:
    """What a file says of itself. Arrays are left out."""

    keys: dict[str, int | float | str] = field(default_factory=dict)
    tensors: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How many dimensions, and the number of the type."""


def unfit(gguf: Path) -> str:
    """Why OpenVINO can't run the file as it is meant; "" if it can."""
    try:
        header = read(gguf)
    except (OSError, *DAMAGED):
        return f"{gguf} is not a GGUF file, or damaged"
    keys = header.keys
    architecture = str(keys.get("general.architecture", ""))
    if architecture not in ARCHITECTURES:
        return (
            f"{gguf.name} is of the architecture {architecture or '(none)'}; from GGUF files, "
            f"OpenVINO reads {', '.join(ARCHITECTURES)}"
        )
    for dimensions, kind in header.tensors.values():
        if kind not in (MATRICES if dimensions > 1 else VECTORS):
            return (
                f"{gguf.name} has weights in a type (number {kind}) that OpenVINO can't read; it "
                f"reads {', '.join(MATRICES.values())}"
            )
    if what := _left_out(keys, architecture, header):
        return f"{gguf.name} has {what}, which OpenVINO leaves out when it reads a GGUF file"
    return ""


def _left_out(keys: Mapping[str, int | float | str], architecture: str, header: Header) -> str:
    """What the model needs and the reader, without a word, would not do."""

    def number(key: str) -> int:
        return int(keys.get(f"{architecture}.{key}", 0))

    if "rope_freqs.weight" in header.tensors or (
        keys.get(f"{architecture}.rope.scaling.type", "none") != "none"
    ):
        return "stretched positions (rope scaling)"
    if number("expert_count"):
        return "experts"
    if number("attention.sliding_window"):
        return "a sliding window"
    heads = max(1, number("attention.head_count"))
    size = number("attention.key_length") or number("embedding_length") // heads
    if number("rope.dimension_count") not in (0, size):
        return "positions in a part of each head only"
    return "more files than one" if int(keys.get("split.count", 0)) > 1 else ""


def read(gguf: Path) -> Header:
    """Raises OSError, or one of DAMAGED for what is no whole header."""
    with gguf.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _Cursor(data).header()


class _Cursor:
    """Reads on from where it is."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def header(self) -> Header:
        if self._data[:4] != b"GGUF":
            raise ValueError("no GGUF file")
        self._at = 8  # the version: 2 and 3 differ in nothing that is read here
        tensors, keys = self._number("<Q"), self._number("<Q")
        header = Header()
        for _ in range(keys):
            key, kind = self._string(), self._number("<I")
            value = self._value(kind)
            if value is not None:
                header.keys[key] = value
        for _ in range(tensors):
            name, dimensions = self._string(), self._number("<I")
            self._at += 8 * dimensions
            header.tensors[name] = dimensions, self._number("<I")
            self._at += 8
        return header

    def _value(self, kind: int) -> int | float | str | None:
        """None for an array, which is passed over."""
        if kind == STRING:
            return self._string()
        if kind != ARRAY:
            return self._number(NUMBERS[kind])
        kind, count = self._number("<I"), self._number("<Q")
        if kind == STRING:
            for _ in range(count):
                length = self._number("<Q")
                self._at += length
        else:
            self._at += count * struct.calcsize(NUMBERS[kind])
        return None

    def _string(self) -> str:
        length = self._number("<Q")
        self._at += length
        return self._data[self._at - length : self._at].decode(errors="replace")

    def _number(self, form: str) -> int:
        """Raises struct.error behind the end of the file."""
        (number,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return number  # type: ignore[no-any-return]  # a float where the form is one
