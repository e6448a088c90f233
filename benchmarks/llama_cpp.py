"""llama.cpp's own server, to compare with: how to get it, start it and ask it.

    python benchmarks/llama_cpp.py build [--jobs 2]

compiles `llama-server` for this machine and puts it into the user's cache folder, where the
benchmark looks for it. The source is the one that the llama-cpp-python sdist carries. It takes a
C++ compiler, cmake, and some minutes.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from platformdirs import user_cache_dir

from hobnob.events import ChatMessage, Sampling

SDIST = "llama-cpp-python==0.3.36"
PROGRAM = "llama-server"
FOLDER = Path(user_cache_dir("hobnob"), "llama.cpp")
HOW = "python benchmarks/llama_cpp.py build (or set LLAMA_SERVER to the program)"
CMAKE = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DGGML_NATIVE=ON",
    "-DBUILD_SHARED_LIBS=OFF",  # one file, that can be moved
    "-DLLAMA_BUILD_SERVER=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",  # it would be downloaded
)


FLAGS = (
    *("--parallel", "16", "--ctx-size", "32768"),
    *("--threads", "4"),
)
START = 60.0
"""Seconds within which the server must be ready."""
ANSWER = 300.0
"""Seconds that it may take for one reply, waiting for its turn included."""


class LlamaServer:
    """Asks a server that runs, as `hobnob.ports.Engine.stream` would. Measures nothing itself.

    https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        question = {
            "messages": [{"role": row.role.value, "content": row.content} for row in messages],
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "cache_prompt": True,
            "stream": True,
        }
        async with self._session.post("/v1/chat/completions", json=question) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line.removeprefix(b"data: "))
                if "error" in event:
                    raise RuntimeError(f"{PROGRAM}: {event['error']}")
                for choice in event["choices"]:
                    if piece := choice["delta"].get("content"):
                        yield piece


@asynccontextmanager
async def running(model: Path) -> AsyncIterator[LlamaServer]:
    """Start the server on a free port of the loopback, and stop it at the end.

    Raises FileNotFoundError where there is none, RuntimeError with the end of its log where it
    does not start.
    """
    if (program := find()) is None:
        raise FileNotFoundError(f"{PROGRAM} is missing: {HOW}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with tempfile.TemporaryFile() as log:
        server = await asyncio.create_subprocess_exec(
            *(program, "--model", model, "--host", "127.0.0.1", "--port", port, *FLAGS),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        session = aiohttp.ClientSession(
            f"http://127.0.0.1:{port}",
            connector=aiohttp.TCPConnector(limit=0, force_close=True),  # it closes them anyway
            timeout=aiohttp.ClientTimeout(total=ANSWER),
        )
        try:
            async with session:
                if not await _ready(server, session):
                    log.seek(0)
                    end = log.read().decode(errors="replace")[-1000:]
                    raise RuntimeError(f"{program} does not start:\n{end}")
                yield LlamaServer(session)
        finally:
            if server.returncode is None:
                server.kill()  # it has nothing to save
            await server.wait()


async def _ready(server: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> bool:
    """Whether the server has loaded its model; False if it ended, or takes too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(START):
            while server.returncode is None:
                with suppress(aiohttp.ClientError):
                    async with session.get("/health") as health:
                        if health.ok:
                            return True
                await asyncio.sleep(0.05)
    return False


def find() -> Path | None:
    """The server: from $LLAMA_SERVER, from the cache folder, or from the path."""
    if given := os.environ.get("LLAMA_SERVER"):
        return Path(given)
    if (built := FOLDER / PROGRAM).is_file():
        return built
    found = shutil.which(PROGRAM)
    return Path(found) if found else None


def build(jobs: int) -> Path:
    """Download the source, compile it, and return the program. Raises CalledProcessError."""
    if missing := [tool for tool in ("cmake", "c++") if not shutil.which(tool)]:
        sys.exit(f"To compile {PROGRAM}, install first: {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="llama.cpp-") as folder:
        source, made = Path(folder, "source"), Path(folder, "made")
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder]
        subprocess.run([*pip, "--no-binary", SDIST.partition("==")[0], SDIST], check=True)
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as sdist:
            sdist.extractall(source, filter="data")
        (vendored,) = source.glob("*/vendor/llama.cpp")
        subprocess.run(["cmake", "-S", str(vendored), "-B", str(made), *CMAKE], check=True)
        compile_it = ["cmake", "--build", str(made), "--target", PROGRAM, "--parallel", str(jobs)]
        subprocess.run(compile_it, check=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy2(made / "bin" / PROGRAM, FOLDER))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["build"])
    parser.add_argument("--jobs", type=int, default=2, help="how many files are compiled at once")
    print(build(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
