"""`hobnob new`: a copy that is the owner's, or nothing at all."""

import re
import tomllib
from pathlib import Path

import pytest

from hobnob import registry
from hobnob.errors import ConfigError
from hobnob.scaffold import new
from hobnob.settings import Settings, load, ready_bots


def refused(target: Path, like: str = "friend") -> str:
    with pytest.raises(ConfigError) as caught:
        new(target, like)
    return str(caught.value)


@pytest.mark.parametrize("like", ["assistant", "friend", "poster", "support"])
def test_a_new_bot_is_the_ready_one_under_its_own_name(tmp_path: Path, like: str) -> None:
    target = tmp_path / "deep" / "mine"
    files = new(target, like)
    folder = ready_bots()[like]
    there = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files == [target / path for path in there]
    assert {"bot.toml", "dialogs.toml", "persona.md"} <= {path.name for path in files}
    ours = (ready_bots()[like] / "bot.toml").read_text()
    assert (target / "bot.toml").read_text() == ours.replace(f'name = "{like}"', 'name = "mine"')
    bot = load(target)
    assert bot.settings.bot.name == "mine"
    assert bot.persona == load(ready_bots()[like]).persona
    assert bot.database_url == f"sqlite:///{target}/hobnob.db"


@pytest.mark.parametrize("like", ["assistant", "friend", "poster", "support"])
def test_every_platform_waits_in_the_file_to_be_used(
    tmp_path: Path, like: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new(tmp_path / "mine", like)
    file = tmp_path / "mine" / "bot.toml"
    for name in registry.known(registry.ADAPTERS):
        monkeypatch.setenv(f"{name.upper()}_TOKEN", "123:token")
    used = re.sub(r"^# (?=\[platforms|\w+ = )", "", file.read_text(), flags=re.MULTILINE)
    _, mark, tables = used.partition("[platforms.")
    settings = Settings.model_validate({"bot": {"name": "mine"}, **tomllib.loads(mark + tables)})
    assert {*settings.platforms, "console"} == set(registry.known(registry.ADAPTERS))
    for name in settings.platforms:
        registry.adapter(name, settings.platform(name))


def test_an_empty_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    new(Path(), "friend")
    assert load(tmp_path / "mine").settings.bot.name == "mine"


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert refused(tmp_path) == f"{tmp_path}: is not empty. Give the path of a new folder."
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("words")
    assert "mine: is a file. Give the path of a new folder." in refused(tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "words"


def test_a_place_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    assert "cannot be written" in refused(tmp_path / "file" / "mine")


@pytest.mark.parametrize("name", ["my bot", "-bot", "böt!", "x" * 65])
def test_a_folder_that_cannot_name_a_bot_is_refused(tmp_path: Path, name: str) -> None:
    assert "a bot's name is 1 to 64 letters, digits, - or _" in refused(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_an_unknown_ready_bot_is_told_with_the_nearest(tmp_path: Path) -> None:
    told = refused(tmp_path / "mine", like="suport")
    assert told == "suport: there is no such ready bot. Did you mean support?"


def test_a_place_that_cannot_be_written_is_told_and_left_clean() -> None:
    # /proc refuses new folders even to the superuser.
    told = refused(Path("/proc/mine"))
    assert told.startswith("/proc/mine: cannot be written: ")


def test_what_was_half_made_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full after the first file: the outermost edge is the call that writes."""
    write = Path.write_bytes

    def until_the_disk_is_full(path: Path, content: bytes) -> int:
        if path.name == "persona.md":
            write(path, content[:10])
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", until_the_disk_is_full)
    told = refused(tmp_path / "deep" / "mine")
    assert told.endswith("mine: cannot be written: No space left on device.")
    assert list(tmp_path.iterdir()) == []
