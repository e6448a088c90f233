"""How fast Telegram is spoken to."""

from hobnob_telegram.pace import Act, Pace, Rates


class Now:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def paced(**rates: float) -> tuple[Pace, Now]:
    now = Now()
    return Pace(Rates(**rates), now), now  # type: ignore[arg-type]


def test_a_chat_is_spoken_to_once_a_second_and_others_meanwhile() -> None:
    pace, now = paced(chat_seconds=1.0)
    assert pace.take(1, Act.POST) == 0
    assert pace.take(2, Act.POST) == 0
    assert pace.take(1, Act.POST) == 1.0
    now.at += 0.75
    assert pace.take(1, Act.CHANGE) == 0.25
    now.at += 0.25
    assert pace.take(1, Act.CHANGE) == 0


def test_a_group_is_spoken_to_twenty_times_a_minute_and_a_person_more_often() -> None:
    pace, now = paced(chat_seconds=1.0, in_group=20, group_seconds=60.0)
    for _ in range(20):
        assert pace.take(-1, Act.POST) == 0
        assert pace.take(1, Act.POST) == 0
        now.at += 1
    assert pace.take(-1, Act.POST) == 40
    assert pace.take(-1, Act.CHANGE) == 0
    assert pace.take(-2, Act.POST) == 0
    assert pace.take(1, Act.POST) == 0
    now.at += 40
    assert pace.take(-1, Act.POST) == 0


def test_the_pictures_of_an_album_are_a_message_each() -> None:
    pace, now = paced(chat_seconds=1.0, in_group=20, group_seconds=60.0)
    assert pace.take(-1, Act.POST, 10) == 0
    now.at += 10
    assert pace.take(-1, Act.POST, 8) == 0
    now.at += 1
    assert pace.take(-1, Act.POST, 3) == 49
    assert pace.take(-1, Act.POST, 2) == 0


def test_there_are_so_many_requests_in_a_second() -> None:
    pace, now = paced(in_all=3)
    assert [pace.take(chat, Act.POST) for chat in range(4)] == [0, 0, 0, 1.0]
    now.at += 1
    assert pace.take(3, Act.POST) == 0


def test_what_is_refused_does_not_count() -> None:
    pace, now = paced(chat_seconds=1.0)
    assert pace.take(1, Act.POST) == 0
    now.at += 0.5
    assert [pace.take(1, Act.POST) for _ in range(9)] == [0.5] * 9
    now.at += 0.5
    assert pace.take(1, Act.POST) == 0


def test_a_limit_of_telegrams_holds_for_everything_in_the_chat_and_nowhere_else() -> None:
    pace, now = paced()
    pace.limited(1, 30)
    pace.limited(1, 5)  # a shorter one does not end it
    assert {pace.take(1, act) for act in Act} == {30.0}
    assert pace.take(2, Act.POST) == 0
    now.at += 30
    assert pace.take(1, Act.SHOW) == 0


def test_a_draft_is_shown_twice_a_second_beside_messages() -> None:
    pace, now = paced(draft_seconds=0.5)
    assert pace.take(1, Act.POST) == 0
    assert pace.take(1, Act.SHOW) == 0
    assert pace.take(1, Act.SHOW) == 0.5
    now.at += 0.5
    assert pace.take(1, Act.SHOW) == 0


def test_quiet_chats_are_forgotten_and_limited_ones_are_not() -> None:
    pace, now = paced(in_all=10_000)
    pace.limited(5000, 100_000)
    for chat in range(1, 3000):
        pace.take(chat, Act.POST)
        now.at += 1
    assert len(pace._chats) < 1100
    assert pace.take(5000, Act.POST) > 0
