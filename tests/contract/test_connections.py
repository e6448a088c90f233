"""How the connections are doing, noted by one program and read by another."""

from dataclasses import replace
from datetime import timedelta

from hobnob.health import Health, Pulse, Shard, State
from hobnob.store import connections
from hobnob.store.database import Database
from hobnob.testing.clock import FakeClock


async def test_what_is_noted_last_counts(database: Database) -> None:
    clock = FakeClock()
    first = Health(state=State.CONNECTING, since=clock.now())
    full = Health(
        state=State.RECONNECTING,
        since=clock.now(),
        last_event=clock.now(),
        lag=0.25,
        limited_until=clock.now() + timedelta(seconds=9),
        errors=3,
        last_error="the server hung up",
        shards=(Shard(number=0, state=State.CONNECTED, latency=0.04),),
    )
    await connections.note(database, {"fake": first, "other": first}, clock.now())
    clock.advance(5)
    await connections.note(database, {"fake": full}, clock.now())
    fake, other = await connections.noted(database)
    assert (fake.platform, fake.health, fake.at) == ("fake", full, clock.now())
    assert (other.platform, other.health) == ("other", first)
    assert other.at < fake.at


def test_a_pulse_tells_what_it_noted_and_forgets_old_errors() -> None:
    clock = FakeClock()
    pulse = Pulse(clock.now)
    began = clock.now()
    assert pulse.health == Health(state=State.CONNECTING, since=began)
    clock.advance(1)
    pulse.turned(State.CONNECTED)
    pulse.came(clock.now() - timedelta(seconds=2))
    pulse.limited(10)
    pulse.failed("hung up")
    connected = clock.now()
    pulse.turned(State.CONNECTED)
    clock.advance(1)
    assert pulse.health == Health(
        state=State.CONNECTED,
        since=connected,
        last_event=connected,
        lag=2.0,
        limited_until=connected + timedelta(seconds=10),
        errors=1,
        last_error="hung up",
    )
    clock.advance(3600)
    later = replace(pulse.health, last_event=None, lag=None)
    assert later == Health(state=State.CONNECTED, since=connected)


def test_something_from_the_future_has_no_lag() -> None:
    clock = FakeClock()
    pulse = Pulse(clock.now)
    pulse.came(clock.now() + timedelta(seconds=5))
    assert pulse.health.lag == 0.0
