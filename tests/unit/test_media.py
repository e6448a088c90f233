"""Files that leave with a message: what they are, what platforms take, where they stand."""

from pathlib import Path

import pytest

from hobnob import media, replies
from hobnob.errors import MediaFailed
from hobnob.events import Button, Media
from hobnob.jobs import Message
from hobnob.ports import Limits, MediaLimits
from hobnob.testing.adapter import key
from hobnob_telegram.outgoing import captions

PNG = b"\x89PNG\r\n\x1a\nrest"
CAT = Media(file="cat.png", media_type="image/png", size=100, digest="0", alt="A cat.")
FILM = Media(file="cat.mp4", media_type="video/mp4", size=100, digest="1", alt="A cat runs.")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01webm", "video/webm"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\0\0\0\x20ftypheic", ""),
        (b"<svg onload=alert(1)>", ""),
        (b"", ""),
    ],
)
def test_a_file_is_what_its_bytes_say(data: bytes, kind: str) -> None:
    assert media.kind_of(data) == kind


def test_a_file_is_described_and_loaded_as_long_as_it_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    file = tmp_path / "pictures" / "cat.png"
    file.write_bytes(PNG)
    found = media.describe(tmp_path, "pictures/cat.png", "A cat.")
    assert (found.media_type, found.size, found.data) == ("image/png", len(PNG), b"")
    (loaded,) = media.load(tmp_path, [found])
    assert loaded.data == PNG
    assert "rest" not in repr(loaded)
    file.write_bytes(PNG + b".")
    with pytest.raises(MediaFailed, match="not what it was"):
        media.load(tmp_path, [found])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dog.png", "there is no dog.png"),
        ("../secret.png", "not in the bot's folder"),
        ("link.png", "not in the bot's folder"),
        ("/etc/hostname", "not in the bot's folder"),
        ("notes.txt", "of no kind that can be sent"),
        (".", "cannot be read"),
        ("a\0b", "cannot be read"),
    ],
)
def test_what_is_no_file_of_the_folder_is_told(tmp_path: Path, name: str, words: str) -> None:
    folder = tmp_path / "bot"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "notes.txt").write_text("notes")
    with pytest.raises(MediaFailed, match=words):
        media.describe(folder, name, "alt")


@pytest.mark.parametrize(
    ("files", "limits", "words"),
    [
        ([CAT], MediaLimits(most=1, largest={"image/": 100}), ""),
        ([FILM], MediaLimits(most=1, largest={"image/": 1, "": 100}), ""),
        ([CAT], MediaLimits(), "takes no files"),
        ([CAT] * 5, MediaLimits(most=4, largest={"": 100}), "at most 4 files"),
        ([FILM], MediaLimits(most=1, largest={"image/": 100}), "video/mp4, which is not taken"),
        ([CAT], MediaLimits(most=1, largest={"image/png": 99, "": 999}), "cat.png has "),
        ([CAT], MediaLimits(most=1, largest={"": 100}, longest_alt=5), "more than 5 characters"),
        ([CAT, FILM], MediaLimits(most=4, largest={"": 100}), "go together"),
    ],
)
def test_what_a_platform_does_not_take_is_told(
    files: list[Media], limits: MediaLimits, words: str
) -> None:
    assert words in media.trouble(files, limits)
    assert bool(words) == bool(media.trouble(files, limits))


def sent(text: str, limits: Limits, *buttons: Button) -> list[tuple[str, int]]:
    message = Message(key=key(), text=text, media=(CAT,), buttons=buttons)
    return [(reply.text, len(reply.media)) for reply in replies.elsewhere(message, limits)]


def test_the_first_part_has_the_files_or_they_go_ahead() -> None:
    files = MediaLimits(most=4, largest={"": 100})
    assert sent("Hi!", Limits(max_length=200, media=files)) == [("Hi!", 1)]
    parts = sent("One two three. " * 40, Limits(max_length=200, media=files))
    assert [count for _, count in parts] == [1, *[0] * (len(parts) - 1)]
    captioned = MediaLimits(most=4, largest={"": 100}, longest_text=20)
    assert sent("Hi!", Limits(max_length=200, media=captioned)) == [("Hi!", 1)]
    assert sent("", Limits(max_length=200, media=captioned)) == [("", 1)]
    assert sent("Hello, all of you!", Limits(max_length=200, media=captioned)) == [
        ("", 1),
        ("Hello, all of you!", 0),
    ]
    pressed = Limits(max_length=200, media=files, buttons=True)
    assert sent("Hi!", pressed, Button(label="Yes", command="/yes")) == [("", 1), ("Hi!", 0)]


def test_telegram_has_alt_texts_in_captions_that_fit() -> None:
    long = [
        Media(file="x", media_type="image/png", size=1, digest="", alt="😀" * n) for n in (9, 800)
    ]
    assert captions("Hi!", [CAT, CAT]) == ["Hi!\n\n[A cat.]\n\n[A cat.]", ""]
    assert captions("", [CAT]) == ["[A cat.]"]
    first, second = captions("", long)
    assert first == f"[{'😀' * 9}]"
    assert second.endswith("😀…")
    assert 1020 < len(second.encode("utf-16-le")) / 2 <= 1024
