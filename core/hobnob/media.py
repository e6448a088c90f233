"""Files that leave with a message: from the bot's own folder, with words for who can't see them.

A file is described when it is decided about, and read when it leaves. In between it may go, or
become another: its digest tells. Blocking: call what reads in a thread.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hobnob.errors import MediaFailed, SendRefused
from hobnob.events import Media
from hobnob.ports import Limits, MediaLimits

MEGABYTE = 1024 * 1024
MOST = MediaLimits(most=10, largest={"": 100 * MEGABYTE})
"""What some platform takes."""
TOGETHER = ("image/png", "image/jpeg", "image/webp")
"""What several files of one message may be: the platforms show other kinds alone."""
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
}
_MP4 = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash")


def describe(folder: Path, file: str, alt: str) -> Media:
    """A file of the bot's folder as it is now, without its bytes. Raises MediaFailed."""
    data = _read(folder, file)
    kind = kind_of(data)
    if not kind:
        raise MediaFailed(f"{file} is of no kind that can be sent: {', '.join(kinds())}")
    digest = hashlib.sha256(data).hexdigest()
    return Media(file=file, media_type=kind, size=len(data), digest=digest, alt=alt)


def load(folder: Path, media: Sequence[Media]) -> tuple[Media, ...]:
    """The same files with their bytes. Raises MediaFailed if they are not the same any more."""
    loaded = []
    for each in media:
        data = _read(folder, each.file)
        if hashlib.sha256(data).hexdigest() != each.digest:
            raise MediaFailed(f"{each.file} is not what it was; start the bot anew to send it so")
        loaded.append(replace(each, data=data))
    return tuple(loaded)


def check(media: Sequence[Media], limits: Limits) -> None:
    """Raises SendRefused for what the platform does not take."""
    if wrong := trouble(media, limits.media):
        raise SendRefused(wrong)


def trouble(media: Sequence[Media], limits: MediaLimits) -> str:
    """What a platform has against these files; "": nothing."""
    if len(media) > limits.most:
        most = f"at most {limits.most} files" if limits.most else "no files"
        return f"a message takes {most}, and there are {len(media)}"
    for each in media:
        most_bytes = _largest(limits.largest, each.media_type)
        if len(media) > 1 and each.media_type not in TOGETHER:
            return f"{each.file} is {each.media_type}: only {', '.join(TOGETHER)} go together"
        if not most_bytes:
            return f"{each.file} is {each.media_type}, which is not taken"
        if each.size > most_bytes:
            size, most = _megabytes(each.size), _megabytes(most_bytes)
            return f"{each.file} has {size}, and at most {most} are taken"
        if len(each.alt) > limits.longest_alt:
            return f"the alt text of {each.file} has more than {limits.longest_alt} characters"
    return ""


def caption(text: str, media: Sequence[Media]) -> str:
    """A text that says what is on the files with it, where the platform has no alt texts."""
    return "\n\n".join(part for part in (text, *(f"[{each.alt}]" for each in media)) if part)


def kinds() -> Sequence[str]:
    """The media types that are known."""
    return sorted({*_BEGINNINGS.values(), "image/webp", "video/mp4", "video/webm"})


def kind_of(data: bytes) -> str:
    """What a file is, by how it begins: its name may lie. "": none of those that are known."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in _MP4:
        return "video/mp4"
    if data.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in data[:64]:
        return "video/webm"
    return next((kind for start, kind in _BEGINNINGS.items() if data.startswith(start)), "")


def _largest(largest: Mapping[str, int], media_type: str) -> int:
    group = f"{media_type.partition('/')[0]}/"
    return next((largest[key] for key in (media_type, group, "") if key in largest), 0)


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.3g} MB"


def _read(folder: Path, file: str) -> bytes:
    most = MOST.largest[""]
    try:
        path, within = (folder / file).resolve(), folder.resolve()
        if not path.is_relative_to(within):
            raise MediaFailed(f"{file} is not in the bot's folder")
        with path.open("rb") as opened:
            data = opened.read(most + 1)
    except FileNotFoundError:
        raise MediaFailed(f"there is no {file} in the bot's folder") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        why = error.strerror if isinstance(error, OSError) else error
        raise MediaFailed(f"{file} cannot be read: {why}") from None
    if len(data) > most:
        raise MediaFailed(f"{file} has more than {_megabytes(most)}, which no platform takes")
    return data
