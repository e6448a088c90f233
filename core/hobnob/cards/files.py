"""The JSON in a card's file: JSON itself, a PNG picture that carries it, or a CHARX archive.

PNG: https://www.w3.org/TR/png-3/#5DataRep; the chunks `ccv3` and `chara` and CHARX:
https://github.com/kwaroran/character-card-spec-v3/blob/main/SPEC_V3.md
"""

import base64
import binascii
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from hobnob.errors import ConfigError

MAX_BYTES = 32 << 20
"""Of a file: the picture of a card may be large, or the archive hold more of them."""
MAX_JSON_BYTES = 4 << 20
MAX_DEPTH = 32
MAX_CHUNKS = 10_000
MAX_MEMBERS = 2_000
SUFFIXES = (".json", ".png", ".charx")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORDS = (b"ccv3", b"chara")
"""Of the chunks that hold a card, the newest format first."""


def read(data: bytes, source: str) -> dict[str, Any]:
    """The card's JSON object in `data`. Raises ConfigError."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{source}: is larger than {MAX_BYTES >> 20} MB. No card is.")
    if data.startswith(SIGNATURE):
        data = _of_picture(data, source)
    elif data.startswith(b"PK\x03\x04"):
        data = _of_archive(data, source)
    return parse(data, source)


def parse(data: bytes, source: str) -> dict[str, Any]:
    if len(data) > MAX_JSON_BYTES:
        raise ConfigError(f"{source}: the card is larger than {MAX_JSON_BYTES >> 20} MB.")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{source}: is not UTF-8 text, nor a PNG or CHARX file.") from None
    except RecursionError:
        raise ConfigError(f"{source}: is nested too deeply for a card.") from None
    except ValueError as error:
        raise ConfigError(f"{source}: not valid JSON: {error}.") from None
    if _depth(found) > MAX_DEPTH:
        raise ConfigError(f"{source}: is nested too deeply for a card.")
    if not isinstance(found, dict):
        raise ConfigError(f"{source}: holds no JSON object, so it is no card.")
    return found


def with_card(picture: bytes, card: Mapping[str, Any], source: str) -> bytes:
    """A PNG picture with this card in it, in place of one that it may have had."""
    written = base64.b64encode(json.dumps(card, ensure_ascii=False).encode("utf-8", "replace"))
    kept = [
        _chunk(kind, body)
        for kind, body in _chunks(picture, source)
        if kind != b"tEXt" or body.partition(b"\0")[0] not in KEYWORDS
    ]
    new = [_chunk(b"tEXt", key + b"\0" + written) for key in KEYWORDS]
    return SIGNATURE + b"".join([*kept[:-1], *new, kept[-1]])


def _of_picture(data: bytes, source: str) -> bytes:
    found: dict[bytes, bytes] = {}
    for kind, body in _chunks(data, source):
        key, _, text = body.partition(b"\0")
        if key not in KEYWORDS or key in found:
            continue
        if kind == b"tEXt":
            found[key] = text
        elif kind == b"zTXt":
            found[key] = _unpacked(text[1:], source)
        elif kind == b"iTXt":
            packed, (*_, text) = text[:1] == b"\1", text[2:].split(b"\0", 2)
            found[key] = _unpacked(text, source) if packed else text
    for key in KEYWORDS:
        if key in found:
            return _decoded(found[key], source)
    raise ConfigError(f"{source}: this picture has no character card in it.")


def _decoded(text: bytes, source: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{source}: the card in this picture is damaged.") from None


def _chunks(data: bytes, source: str) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, with their checksums right."""
    damaged = ConfigError(f"{source}: this PNG file is damaged or cut off.")
    place = len(SIGNATURE)
    if not data.startswith(SIGNATURE):
        raise ConfigError(f"{source}: is not a PNG picture.")
    for _ in range(MAX_CHUNKS):
        head = data[place : place + 8]
        if len(head) < 8:
            raise damaged
        length, kind = struct.unpack(">I4s", head)
        body, sum_ = data[place + 8 : place + 8 + length], data[place + 8 + length :][:4]
        if len(body) < length or len(sum_) < 4:
            raise damaged
        if struct.unpack(">I", sum_)[0] != zlib.crc32(kind + body):
            raise damaged
        yield kind, body
        if kind == b"IEND":
            return
        place += 12 + length
    raise ConfigError(f"{source}: has more than {MAX_CHUNKS} chunks. No picture does.")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _unpacked(packed: bytes, source: str) -> bytes:
    """No more of it than a card can be: a kilobyte can unpack to a gigabyte."""
    most = MAX_JSON_BYTES * 4 // 3 + 4
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, most)
    except zlib.error:
        raise ConfigError(f"{source}: the card in this picture is damaged.") from None
    if unpacker.unconsumed_tail:
        raise ConfigError(f"{source}: the card is larger than {MAX_JSON_BYTES >> 20} MB.")
    return text


def _of_archive(data: bytes, source: str) -> bytes:
    damaged = ConfigError(f"{source}: this archive is damaged or cut off.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) > MAX_MEMBERS:
                raise ConfigError(f"{source}: has more than {MAX_MEMBERS} files in it.")
            if climbing := next((name for name in names if _climbs(name)), None):
                raise ConfigError(f"{source}: {climbing[:80]!r} in it would leave its folder.")
            if "card.json" not in names:
                raise ConfigError(f"{source}: has no card.json in it, so it is no CHARX card.")
            with archive.open("card.json") as member:
                return member.read(MAX_JSON_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        raise damaged from None
    except (RuntimeError, NotImplementedError):  # a password, or an unknown compression
        raise ConfigError(f"{source}: card.json in it cannot be unpacked.") from None


def _climbs(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]


def _depth(value: Any) -> int:
    """How deeply `value` is nested, as far as it matters."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return depth
