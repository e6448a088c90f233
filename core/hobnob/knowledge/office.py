"""PDF and Word documents as text, read in a process of its own: these formats are large, and a
broken or hostile file may take all memory, or never end. What the process may use is limited.

    python -m hobnob.knowledge.office .pdf|.docx < FILE
"""

import importlib.util
import io
import subprocess
import sys
import zipfile
from pathlib import PurePosixPath

from hobnob.errors import DocumentFailed, MissingExtra

LIBRARIES = {".pdf": "pypdf", ".docx": "mammoth"}
SECONDS = 60
MOST_MEMORY = 2 << 30
"""Bytes of address space."""
MOST_UNPACKED = 200 << 20
"""Bytes of a Word document, which is a ZIP archive, when it is unpacked."""
MOST_TEXT = 4_000_000
"""Characters that are taken of a document."""
REFUSED = 3
"""The exit code, where standard output says why."""


def is_readable(path: str) -> bool:
    """Whether the library that this kind of document takes is installed."""
    library = LIBRARIES.get(PurePosixPath(path).suffix.casefold())
    return library is None or importlib.util.find_spec(library) is not None


def text(path: str, data: bytes) -> str:
    """Raises DocumentFailed and MissingExtra, naming the file."""
    suffix = PurePosixPath(path).suffix.casefold()
    if not is_readable(path):
        raise MissingExtra(
            f"{path}: {suffix} needs a library that is not installed: "
            "pip install 'hobnob[knowledge]'"
        )
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and a suffix from the table
            [sys.executable, "-m", "hobnob.knowledge.office", suffix],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DocumentFailed(f"{path}: could not be read within {SECONDS} s.") from None
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode == REFUSED:
        raise DocumentFailed(f"{path}: {said}")
    if done.returncode:
        raise DocumentFailed(f"{path}: is broken, or takes more memory than a document should.")
    return said


class _Refused(Exception):
    """Its message says why."""


def _of_pdf(data: bytes) -> str:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise _Refused("is encrypted. Save it without a password.")
    pages: list[str] = []
    room = MOST_TEXT
    for number, page in enumerate(reader.pages, start=1):
        words = page.extract_text()[:room].strip()
        room -= len(words)
        if words:
            pages.append(f"## Page {number}\n\n{words}")
    if not pages:
        raise _Refused("holds no text: perhaps its pages are pictures.")
    return "\n\n".join(pages)


def _of_docx(data: bytes) -> str:
    import mammoth

    from hobnob.web.readable import readable

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
            raise _Refused(f"is larger than {MOST_UNPACKED >> 20} MB when it is unpacked.")
    without = mammoth.images.img_element(lambda image: {})
    html = mammoth.convert_to_html(io.BytesIO(data), convert_image=without).value
    return readable(html, most=MOST_TEXT, headings=True).text


def _limit() -> None:
    import resource

    for what, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, SECONDS)):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))


def main(suffix: str, data: bytes) -> int:
    _limit()
    try:
        found = {".pdf": _of_pdf, ".docx": _of_docx}[suffix](data)
    except _Refused as refused:
        print(refused, end="")
        return REFUSED
    except Exception as error:  # whatever a library raises at a file that is not in order
        print(f"can't be read: {type(error).__name__}.", end="")
        return REFUSED
    sys.stdout.buffer.write(found.encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.stdin.buffer.read()))
