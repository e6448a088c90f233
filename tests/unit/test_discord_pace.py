"""How often a session is begun on Discord, whatever happens."""

from hobnob_discord.pace import HOUR, Backoff, Identifies


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_waits_for_the_one_before_it() -> None:
    clock = Clock()
    identifies = Identifies(5.0, now=clock)
    assert identifies.wait(0) == 0
    identifies.begin(0)
    clock.now = 2.0
    assert identifies.wait(1) == 3.0
    clock.now = 5.0
    assert identifies.wait(1) == 0


def test_a_day_of_trouble_costs_far_fewer_sessions_than_would_cost_the_token() -> None:
    clock = Clock()
    identifies = Identifies(5.0, now=clock)
    begun = 0
    while clock.now < 24 * HOUR:
        if wait := identifies.wait(0):
            clock.now += wait
        else:
            identifies.begin(0)
            begun += 1
    assert begun <= 500


def test_one_shard_in_trouble_does_not_hold_up_the_others() -> None:
    clock = Clock()
    identifies = Identifies(0.0, now=clock)
    for _ in range(20):
        identifies.begin(0)
    assert identifies.wait(0) == HOUR
    assert identifies.wait(1) == 0


def test_we_are_back_soon_after_discord_is() -> None:
    backoff = Backoff()
    assert max(backoff.delay() for _ in range(200)) <= 64
