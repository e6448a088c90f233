"""bot.toml: what is read, what is told about mistakes, and where the data goes."""

import datetime
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import platformdirs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hobnob.errors import ConfigError
from hobnob.events import Sampling
from hobnob.hours import Span
from hobnob.policy import Rules
from hobnob.ports import Afterwards, ModelOptions
from hobnob.rooms import Rooms, Speak
from hobnob.settings import Settings, find, load, ready_bots
from hobnob.validate import check

PERSONA = "+++\nname = 'Robin'\n[sampling]\ntemperature = 0.5\ntop_p = 0.8\n+++\nYou are Robin.\n"
LEAST = '[bot]\nname = "mine"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "persona.md").write_text(PERSONA)
    (tmp_path / "bot.toml").write_text(LEAST)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "bot.toml").write_text(LEAST + text)


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value)


# ------------------------------------------------------------------------------- what is read


def test_a_name_and_a_persona_are_enough(folder: Path) -> None:
    bot = load(folder)
    assert bot.folder == folder
    assert bot.persona.text == "You are Robin."
    assert bot.settings.bot.timezone == "UTC"
    assert bot.settings.model.options(print) == ModelOptions(report=print)
    assert bot.rules == Rules(names=("Robin",), disclose=True)
    assert bot.database_url == f"sqlite:///{folder}/hobnob.db"


def test_every_key_is_read(folder: Path) -> None:
    (folder / "bot.toml").write_text(
        '[bot]\nname = "mine"\npersona = "persona.md"\nlanguage = "pt-BR"\n'
        'timezone = "Europe/Berlin"\ncontact = "ann@example.org"\n'
        '[model]\nengine = "openai"\nname = "qwen"\ndevice = "cpu"\ndtype = "float32"\n'
        'base_url = "http://127.0.0.1:1/v1"\napi_key = "k3y"\n'
        "max_new_tokens = 9\ntemperature = 1\ntop_p = 0.3\n"
        '[store]\nurl = "postgresql://ann:pw@host/name"\n'
        '[engage]\nnames = ["bob"]\nburst_seconds = 0\nanswer_bots = true\n'
        "per_user_per_minute = 1\nper_chat_per_minute = 0\ndisclose = false\n"
        'edited = "update"\ndeleted = "keep"\n'
        '[rooms]\nremember = "all"\nspeak = "ambient"\ntopics = ["cats"]\none_in = 3\n'
        'per_hour = 1\nquiet = ["22:00-07:30"]\n'
        '[platforms.discord]\ntoken = "t"\n'
    )
    bot = load(folder)
    assert bot.settings.bot.language == "pt-BR"
    assert bot.settings.bot.timezone == "Europe/Berlin"
    assert bot.settings.model.engine == "openai"
    assert bot.settings.model.options(print) == ModelOptions(
        name="qwen",
        device="cpu",
        dtype="float32",
        base_url="http://127.0.0.1:1/v1",
        api_key="k3y",
        report=print,
    )
    assert bot.persona.sampling == Sampling(max_new_tokens=9, temperature=1.0, top_p=0.3)
    assert bot.database_url == "postgresql://ann:pw@host/name"
    assert bot.rules == Rules(
        names=("Robin", "bob"),
        burst_seconds=0,
        answer_bots=True,
        per_user_per_minute=1,
        per_chat_per_minute=0,
        contact="ann@example.org",
        sent=Afterwards(update=True, remove=False),
        rooms=Rooms(
            remember_all=True,
            speak=Speak.AMBIENT,
            topics=("cats",),
            one_in=3,
            per_hour=1,
            quiet=(Span.parse("22:00-07:30"),),
            zone="Europe/Berlin",
        ),
    )
    assert bot.settings.platform("discord") == {"token": "t"}


def test_the_model_table_goes_before_the_personas_sampling_key_by_key(folder: Path) -> None:
    write(folder, "[model]\ntemperature = 0")
    assert load(folder).persona.sampling == Sampling(temperature=0.0, top_p=0.8)


def test_a_persona_may_stand_elsewhere_and_be_toml(folder: Path) -> None:
    (folder / "who").mkdir()
    (folder / "who" / "ann.toml").write_text("name = 'Ann'\ntext = 'You are Ann.'")
    (folder / "bot.toml").write_text('[bot]\nname = "x"\npersona = "who/ann.toml"')
    assert load(folder).persona.name == "Ann"


def test_settings_are_fixed(folder: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(folder).settings.bot.name = "other"


# -------------------------------------------------------------------------- the database's place


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a/b.db", "sqlite:///{data}/a/b.db"),
        ("sqlite:////var/b.db", "sqlite:////var/b.db"),
        ("sqlite:///b.db?x=1", "sqlite:///{data}/b.db?x=1"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://host/name", "postgresql://host/name"),
    ],
)
def test_a_relative_database_is_in_the_data_folder(folder: Path, url: str, expected: str) -> None:
    write(folder, f'[store]\nurl = "{url}"')
    assert load(folder).database_url == expected.format(data=folder)
    assert load(folder, data=Path("/data")).database_url == expected.format(data="/data")


def test_a_relative_folder_gives_an_absolute_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert load(Path(folder.name)).database_url == f"sqlite:///{folder}/hobnob.db"


def test_a_ready_bot_keeps_its_data_with_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    home = platformdirs.user_data_path("hobnob")
    assert load(find("friend")).database_url == f"sqlite:///{home}/friend/hobnob.db"


# ------------------------------------------------------------------------------ what is refused


MCP = "[[tools.mcp]]\nname = 'files'\ncommand = ['files']\nallow = ['a']"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[engage]\nburst_second = 1", "engage.burst_second: unknown key. Did you mean burst_sec"),
        ("[engag]\nburst_seconds = 1", "engag: unknown key. Did you mean engage?"),
        ("[platform.discord]\ntoken = 't'", "platform: unknown key. Did you mean platforms?"),
        (
            "[[tools.mcp]]\nname = 'Files'\nallow = ['a']\nurl = 'http://x'",
            "tools.mcp.0.name: must be 1",
        ),
        ("[[tools.mcp]]\nname = 'files'\nallow = ['a']", "tools.mcp.0: needs either a command or"),
        (f"{MCP}\nurl = 'http://x/mcp'", "tools.mcp.0: needs either a command or a url."),
        (f"{MCP}\ntoken = 't'", "tools.mcp.0: env is for a command, and token for a url."),
        (f"{MCP}\nreads = ['b']", "tools.mcp.0: reads names what is not allowed: b."),
        (MCP.replace("'a'", ""), "tools.mcp.0: allow names no tool"),
        (MCP.replace("'a'", "'a.b', 'a/b'"), "tools.mcp.0: allow names a tool twice, or two"),
        (f"{MCP}\n{MCP}", "tools.mcp: has two of the same name."),
        (f"{MCP}\nalow = []", "tools.mcp.0.alow: unknown key. Did you mean allow?"),
        ("[[tools.mcp]]\nname = 'files'\nallow = ['a']\nurl = 'ftp://x'", "url must be an address"),
        ("[model]\ncalls_tools = true", 'calls_tools is for engine = "openai"'),
        ("zzz = 1", "bot.zzz: unknown key. Known: name, persona, language, timezone, contact."),
        ("timezone = 'Europe/Berln'", "bot.timezone: is not a time zone."),
        ("timezone = 'Europe'", "bot.timezone: is not a time zone."),
        ("timezone = '../../etc/passwd'", "bot.timezone: is not a time zone."),
        ("timezone = ''", "bot.timezone: is not a time zone."),
        ("language = 'english please'", "bot.language: must be a language code"),
        ("persona = 'card.jpg'", "bot.persona: must be a file that ends in .md or .toml, or a"),
        ("persona = ''", "bot.persona: must not be empty."),
        ("[model]\ntemperature = 2.1", "model.temperature: must be at most 2."),
        ("[model]\ntemperature = nan", "model.temperature: must be a finite number."),
        ("[model]\ntemperature = '0.5'", "model.temperature: must be a number, not text."),
        ("[model]\ntemperature = true", "model.temperature: must be a number, not true or false."),
        ("[model]\ntop_p = 0", "model.top_p: must be more than 0."),
        ("[model]\nmax_new_tokens = 0", "model.max_new_tokens: must be at least 1."),
        ("[model]\nmax_new_tokens = 8193", "model.max_new_tokens: must be at most 8192."),
        ("[model]\nmax_new_tokens = 1.0", "max_new_tokens: must be a whole number, not a number"),
        ("[model]\nname = ''", "model.name: must not be empty."),
        ("[model]\napi_key = 12", "model.api_key: must be text in quotes, not a whole number."),
        ("[model]\nbase_url = 'http://x'", 'model: base_url and api_key are for engine = "openai"'),
        ("[model]\nsees = true", 'model: sees is for engine = "openai"'),
        ("[model]\nengine = 'openvino'\nsees = true", 'model: sees is for engine = "openai"'),
        ("[engage]\nburst_seconds = 61", "engage.burst_seconds: must be at most 60."),
        ("[engage]\nper_user_per_minute = -1", "per_user_per_minute: must be at least 0."),
        ("[engage]\nnames = 'bob'", "engage.names: must be a list, like"),
        ("[engage]\nnames = [1]", "engage.names.0: must be text in quotes, not a whole number."),
        ("[engage]\nnames = [' ']", "engage.names: holds a name without a letter"),
        ("[engage]\nanswer_bots = 1", "engage.answer_bots: must be true or false, not a whole"),
        ("[engage]\nanswer_bots = 07:30:00", "must be true or false, not a date or time."),
        ("[store]\nurl = 'sqlite://hobnob.db'", "store.url: must be"),
        ("[store]\nurl = 'postgres://ann:hunter2@host'", "store.url: must be"),
        ("[[store]]\nurl = 'x'", "store: must be a table, not a list."),
        ("[platforms]\ndiscord = 'hunter2'", "platforms.discord: must be a table, not text."),
    ],
)
def test_a_mistake_is_told_with_its_key(folder: Path, text: str, told: str) -> None:
    write(folder, text)
    assert refused(folder).startswith("bot.toml: ")
    assert told in refused(folder)
    assert "hunter2" not in refused(folder)


@pytest.mark.parametrize("name", ["", "-x", "a b", "../x", "a/b", "x" * 65, "a\\nb"])
def test_a_bots_name_can_name_a_folder(folder: Path, name: str) -> None:
    (folder / "bot.toml").write_text(f'[bot]\nname = "{name}"')
    assert refused(folder).startswith("bot.toml: bot.name: a bot's name is 1 to 64 letters")


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    (folder / "bot.toml").write_text("[bot]\nnam = 'x'\n[engage]\nanswer_bots = 'yes'")
    assert sorted(refused(folder).splitlines()) == [
        "bot.toml: bot.nam: unknown key. Did you mean name?",
        "bot.toml: bot.name: is missing.",
        "bot.toml: engage.answer_bots: must be true or false, not text.",
    ]


def test_an_empty_file_says_what_is_missing(folder: Path) -> None:
    (folder / "bot.toml").write_text("")
    assert refused(folder) == "bot.toml: bot: is missing."


def test_a_syntax_error_is_told_with_its_line(folder: Path) -> None:
    write(folder, "language = en")
    assert refused(folder).startswith("bot.toml: line 3, column 12: not valid TOML: Invalid value.")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[bot]\nname = 'x'\n# caf\xe9", "line 3: is not UTF-8 text. Save it as UTF-8."),
        (b"#" * (1024 * 1024 + 1), "is larger than 1024 kB"),
        (b"x = " + b"[" * 100_000, "not valid TOML: nested too deeply."),
        (b"bot" + b".a" * 2_000 + b" = 1", "is nested too deeply."),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused(folder: Path, content: bytes, told: str) -> None:
    (folder / "bot.toml").write_bytes(content)
    assert told in refused(folder)


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    (folder / "bot.toml").write_text("\ufeff" + LEAST)
    assert load(folder).settings.bot.name == "mine"


def test_a_folder_or_nothing_in_place_of_the_file_is_told(folder: Path) -> None:
    (folder / "bot.toml").unlink()
    assert refused(folder) == f"{folder}/bot.toml: there is no such file."
    (folder / "bot.toml").mkdir()
    assert refused(folder) == f"{folder}/bot.toml: is a folder, not a file."


def test_a_persona_that_is_missing_or_wrong_is_told(folder: Path) -> None:
    (folder / "persona.md").write_text("+++\nnam = 'x'\n+++\nhi")
    assert "persona.md: nam: unknown key. Did you mean name?" in refused(folder)
    (folder / "persona.md").unlink()
    assert refused(folder) == f"{folder}/persona.md: there is no such file."


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates()
)
_TREES = st.recursive(_VALUES, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=8)
_KEYS = st.sampled_from(["bot", "model", "store", "engage", "platforms", "name", "url", "names"])


@given(st.dictionaries(_KEYS, _TREES | st.dictionaries(_KEYS, _TREES)))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_value_makes_the_check_crash(table: dict[str, object]) -> None:
    try:
        check(Settings, table)
    except ConfigError as error:
        assert str(error).startswith("bot.toml: ")  # noqa: PT017


# ------------------------------------------------------------------------ environment variables


def test_variables_stand_for_whole_values_and_parts_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHO", "ann")
    monkeypatch.setenv("PASSWORD", "s$cret")
    write(
        folder,
        'language = "de"\n[store]\nurl = "postgresql://${WHO}x:$PASSWORD@host/a$$b"\n'
        '[engage]\nnames = ["$WHO"]',
    )
    bot = load(folder)
    assert bot.database_url == "postgresql://annx:s$cret@host/a$b"
    assert bot.settings.engage.names == ("ann",)


def test_missing_and_empty_variables_are_all_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_HERE", raising=False)
    monkeypatch.setenv("EMPTY", "")
    write(folder, '[model]\napi_key = "$NOT_HERE"\n[store]\nurl = "postgresql://$EMPTY"')
    assert refused(folder).splitlines() == [
        "bot.toml: model.api_key: the environment variable NOT_HERE is not set or empty. "
        "Set it before you start hobnob: export NOT_HERE=...",
        "bot.toml: store.url: the environment variable EMPTY is not set or empty. "
        "Set it before you start hobnob: export EMPTY=...",
    ]


@pytest.mark.parametrize("value", ["hunter2$", "hunter2$ ", "$1hunter2", "${hunter2", "${}hunter2"])
def test_a_dollar_that_begins_no_name_is_refused_without_showing_the_value(
    folder: Path, value: str
) -> None:
    write(folder, f'[model]\nengine = "openai"\napi_key = "{value}"')
    told = refused(folder)
    assert told.startswith("bot.toml: model.api_key: $ begins a variable's name here. Write $$")
    assert "hunter2" not in told


def test_a_platforms_variables_are_asked_for_only_with_the_platform(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    write(folder, '[platforms.discord]\ntoken = "$DISCORD_TOKEN"')
    bot = load(folder)
    with pytest.raises(ConfigError, match=r"platforms\.discord\.token: .* DISCORD_TOKEN is not se"):
        bot.settings.platform("discord")
    monkeypatch.setenv("DISCORD_TOKEN", "t0ken")
    assert bot.settings.platform("discord") == {"token": "t0ken"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('at = "25:00"', 'checkin.at: must be a time of the day, like "10:00".'),
        ('quiet = ["at night"]', "checkin.quiet: 'at night' is no span of time."),
        ("unanswered = 0", "checkin.unanswered: "),
        ('questions = [""]', "checkin.questions"),
    ],
)
def test_what_checkin_may_say_is_checked(folder: Path, line: str, told: str) -> None:
    write(folder, f"[checkin]\n{line}")
    assert told in refused(folder)


def test_a_platform_without_a_table_is_told(folder: Path) -> None:
    write(folder, "[platforms.discord]")
    with pytest.raises(ConfigError, match=r"no table \[platforms.discrod\]. Did you mean discord?"):
        load(folder).settings.platform("discrod")


# --------------------------------------------------------------------------------------- secrets


def test_no_secret_is_in_a_repr(folder: Path) -> None:
    write(
        folder,
        '[model]\nengine = "openai"\napi_key = "hunter2"\n'
        '[store]\nurl = "postgresql://ann:hunter2@host"\n[platforms.discord]\ntoken = "hunter2"',
    )
    bot = load(folder)
    assert "hunter2" not in repr(bot) + str(bot) + repr(bot.settings) + str(bot.settings)
    assert "hunter2" not in repr(bot.settings.model.options(print))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann:pa%40ss@host/name", {"pa%40ss", "pa@ss"}),
        ("postgresql://ann:a:b@host/name?x=y@z", {"a:b"}),
        ("postgresql://host/name?user=a&password=secret&x=1", {"secret"}),
        ("postgresql://ann@host/name", set()),
        ("sqlite:///hobnob.db", set()),
    ],
)
def test_the_secrets_are_known_to_the_log(folder: Path, url: str, expected: set[str]) -> None:
    write(folder, f'[model]\nengine = "openai"\napi_key = "k3y"\n[store]\nurl = "{url}"')
    assert set(load(folder).secrets) == {"k3y", *expected}


def test_the_secrets_of_servers_are_known_to_the_log_and_in_no_repr(folder: Path) -> None:
    """But not what is too short for one: it would hide half of the log."""
    remote = "[[tools.mcp]]\nname = 'web'\nurl = 'http://x'\nallow = ['a']\ntoken = 'open-sesame'"
    write(folder, f"{MCP}\nenv = {{ KEY = 'hunter2-hunter2', DEBUG = '1' }}\n{remote}")
    bot = load(folder)
    assert set(bot.secrets) == {"hunter2-hunter2", "open-sesame"}
    files, web = (table.options(folder) for table in bot.settings.tools.mcp)
    assert files.env == {"KEY": "hunter2-hunter2", "DEBUG": "1"}
    assert web.token == "open-sesame"
    assert "hunter2" not in f"{bot!r} {files!r}"
    assert "sesame" not in f"{bot!r} {web!r}"


# --------------------------------------------------------------------------------- finding a bot


def test_a_bot_is_found_by_its_folder_its_file_or_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find(str(folder)) == folder
    assert find(str(folder / "bot.toml")) == folder
    monkeypatch.chdir(folder.parent)
    assert find(folder.name).resolve() == folder
    assert find("friend") == ready_bots()["friend"]


def test_an_own_folder_goes_before_a_ready_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("friend").mkdir()
    assert find("friend") == ready_bots()["friend"]
    Path("friend", "bot.toml").touch()
    assert find("friend").resolve() == tmp_path / "friend"


def test_an_unknown_bot_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find("freind")
    assert str(caught.value) == (
        "freind: is neither a bot's folder nor a ready bot. Did you mean friend? "
        "Known: assistant, friend, poster, support."
    )
    with pytest.raises(ConfigError, match=r"this folder has no bot\.toml"):
        find(str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be read: File name too long"):
        find("x" * 5000)


# ------------------------------------------------------------------------------- the ready bots


@pytest.mark.parametrize("name", ["assistant", "friend", "poster", "support"])
def test_a_ready_bot_loads(name: str) -> None:
    bot = load(find(name))
    assert bot.settings.bot.name == name
    assert 120 <= len(bot.persona.text.split()) <= 200, "short enough for a very small model"
    assert 2 <= len(bot.persona.examples) <= 3
    assert bot.persona.greeting
    assert " AI" in bot.persona.text


@pytest.mark.parametrize("name", ["assistant", "friend", "poster", "support"])
def test_a_ready_bots_file_shows_every_key_with_its_default(name: str) -> None:
    """The file is the template of new bots: what is commented out must be right as well."""
    written = (find(name) / "bot.toml").read_text()
    everything = re.sub(
        r"^# (?=\w+ = |\[platforms\.|\[\[posts\]\])", "", written, flags=re.MULTILINE
    )
    shown = tomllib.loads(everything)
    fields = Settings.model_fields
    for table in ("bot", "model", "store", "engage"):
        model = fields[table].annotation
        assert isinstance(model, type)
        assert set(shown[table]) == set(model.model_fields)
    assert shown["platforms"] == {
        "discord": {"token": "$DISCORD_TOKEN"},
        "telegram": {"token": "$TELEGRAM_TOKEN"},
        "mastodon": {"base_url": "https://mastodon.example", "access_token": "$MASTODON_TOKEN"},
        "web": {
            "title": "Chat",
            "listen": "127.0.0.1:8086",
            "origins": ["https://www.example.org"],
        },
    }
    bot = load(find(name))
    picking = ("max_new_tokens", "temperature", "top_p", "repetition_penalty")
    sampling = {key: shown["model"].pop(key) for key in picking}
    assert sampling == {key: getattr(bot.persona.sampling, key) for key in sampling}
    defaults = Settings.model_validate({"bot": {"name": name}})
    settled = {"base_url", "api_key", "names"}
    for table in ("bot", "model", "engage"):
        for key in set(shown[table]) - settled:
            assert getattr(getattr(defaults, table), key) == shown[table][key], key
    assert defaults.store.url.get_secret_value() == shown["store"]["url"]
    posts = {key: shown[key] for key in ("review", "posts") if key in shown}
    Settings.model_validate({"bot": {"name": name}, **posts})


def test_importing_the_settings_brings_no_heavy_library() -> None:
    code = (
        "import sys, hobnob.settings, hobnob.registry, hobnob.scaffold, hobnob.logs\n"
        "heavy = {'torch', 'transformers', 'sqlalchemy', 'discord', 'telegram', 'mastodon'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_date_where_text_belongs_is_told_in_words() -> None:
    with pytest.raises(ConfigError, match="must be text in quotes, not a date or time"):
        check(Settings, {"bot": {"name": datetime.date(2026, 1, 1)}})
