"""What `hobnob doctor` looks at."""

import asyncio
import ipaddress
from collections.abc import Sequence

from hobnob.ports import Finding

ANSWER_SECONDS = 3.0


async def examine(host: str, port: int, origins: Sequence[str]) -> Sequence[Finding]:
    """Whether the port is ours or free, who reaches it, and who may show the page."""
    findings = [await _port(host, port)]
    if not _only_here(host):
        findings.append(
            Finding(
                ok=True,
                what=f"{host} is reached from other machines, without encryption: put a proxy with "
                "TLS before it",
            )
        )
    sites = f"its own host and {', '.join(origins)}" if origins else "its own host alone"
    findings.append(Finding(ok=True, what=f"the chat may be shown by pages of {sites}"))
    return findings


async def _port(host: str, port: int) -> Finding:
    where = f"{host}:{port}"
    other = Finding(
        ok=False,
        what=f"another program has {where}",
        fix="Stop it, or choose another port in platforms.web.listen.",
    )
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET / HTTP/1.0\r\nHost: {where}\r\n\r\n".encode())
                answer = await reader.read(4096)
            finally:
                writer.close()
    except TimeoutError:
        return other
    except OSError:
        return await _free(host, port)
    if b"hobnob" in answer:
        return Finding(ok=True, what=f"the chat page is served at http://{where}/")
    return other


async def _free(host: str, port: int) -> Finding:
    try:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), host, port)
    except OSError as error:
        return Finding(
            ok=False,
            what=f"can't listen at {host}:{port}: {error.strerror}",
            fix="Give an address of this machine and a free port in platforms.web.listen.",
        )
    server.close()
    return Finding(ok=True, what=f"{host}:{port} is free: `hobnob run` serves the chat page there")


def _only_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
