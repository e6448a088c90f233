"""`hobnob platforms`: how the running bot's connections are doing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hobnob.cli_bot import BotName, load, run_until_done
from hobnob.terminal import Live, out, show

if TYPE_CHECKING:
    from hobnob.store.connections import Noted

LOOK_SECONDS = 2.0


def platforms(
    bot: BotName = ".",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show how the running bot's connections are doing: state, lag, limits, errors, shards."""
    from hobnob import app
    from hobnob.store import connections

    found = load(bot)

    async def look() -> None:
        async with app.open_database(found, prepare=True) as database:
            rows = _rows(await connections.noted(database))
            if not (watch and out.is_terminal):
                if not rows and out.is_terminal and not as_json:
                    out.print("No bot has run on this database yet. Start one with hobnob run.")
                else:
                    show(rows, as_json)
                return
            with Live() as draw:
                while True:
                    draw(_rows(await connections.noted(database)))
                    await asyncio.sleep(LOOK_SECONDS)

    run_until_done(look())


def _rows(found: "Sequence[Noted]") -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [row for each in found for row in _row(each, now)]


def _row(noted: "Noted", now: datetime) -> list[dict[str, Any]]:
    from hobnob.app import NOTE_SECONDS

    health = noted.health
    gone = (now - noted.at).total_seconds() > 3 * NOTE_SECONDS
    state = "not running" if gone else str(health.state)
    limited = health.limited_until
    rows: list[dict[str, Any]] = [
        {
            "platform": noted.platform,
            "state": state,
            "for": _ago(now, noted.at if gone else health.since),
            "last event": _ago(now, health.last_event, " ago"),
            "lag": "" if health.lag is None else f"{health.lag:.1f} s",
            "limited": f"{(limited - now).total_seconds():.0f} s" if limited else "",
            "errors": f"{health.errors} in an hour" if health.errors else "",
            "last error": health.last_error,
        }
    ]
    for shard in health.shards:
        latency = "" if shard.latency is None else f"{1000 * shard.latency:.0f} ms"
        rows.append(
            {
                **dict.fromkeys(rows[0], ""),
                "platform": f"  shard {shard.number}",
                "state": "not running" if gone else str(shard.state),
                "lag": latency,
            }
        )
    return rows


def _ago(now: datetime, then: datetime | None, word: str = "") -> str:
    if then is None:
        return "never"
    seconds = max(0, int((now - then).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}{word}"
    return f"{seconds} s{word}"
