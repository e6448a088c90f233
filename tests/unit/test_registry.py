"""Adapters and engines by name, out of packages that are really installed on the path."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hobnob import registry
from hobnob.errors import ConfigError, MissingExtra
from hobnob.ports import ModelOptions

PIGEON = """\
from pydantic import BaseModel, SecretStr

class Adapter:
    name = "pigeon"

    class Options(BaseModel):
        token: SecretStr
        loft: int = 1

    def __init__(self, options):
        self.options = options
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with entry points on the path."""

    def install(package: str, points: str, module: str = "", extras: str = "") -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        extra = f"Provides-Extra: {extras}\n" if extras else ""
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n{extra}"
        )
        (info / "entry_points.txt").write_text(points)
        (tmp_path / f"{package}_module.py").write_text(module)
        monkeypatch.delitem(sys.modules, f"{package}_module", raising=False)

    monkeypatch.syspath_prepend(tmp_path)
    return install


@pytest.fixture
def pigeon(install: Install) -> None:
    install("pigeons", "[hobnob.adapters]\npigeon = pigeons_module:Adapter\n", PIGEON)


@pytest.mark.usefixtures("pigeon")
def test_another_packages_adapter_is_made_from_its_options() -> None:
    adapter = registry.adapter("pigeon", {"token": "t0ken", "loft": 2})
    assert adapter.name == "pigeon"
    options = adapter.options  # type: ignore[attr-defined]
    assert options.loft == 2
    assert options.token.get_secret_value() == "t0ken"


@pytest.mark.usefixtures("pigeon")
def test_mistakes_in_its_table_are_told_all_at_once_without_a_value() -> None:
    with pytest.raises(ConfigError) as caught:
        registry.adapter("pigeon", {"tokn": "hunter2", "loft": "hunter2"})
    assert sorted(str(caught.value).splitlines()) == [
        "bot.toml: platforms.pigeon.loft: must be a whole number, not text.",
        "bot.toml: platforms.pigeon.token: is missing.",
        "bot.toml: platforms.pigeon.tokn: unknown key. Did you mean token?",
    ]
    assert caught.value.__context__ is None


@pytest.mark.usefixtures("pigeon")
def test_the_secrets_of_a_table_are_known() -> None:
    assert registry.secrets("pigeon", {"token": "t0ken"}) == ("t0ken",)


@pytest.mark.usefixtures("pigeon")
def test_an_unknown_name_is_told_with_the_nearest_and_all_known() -> None:
    with pytest.raises(ConfigError) as caught:
        registry.adapter("pigeom", {})
    assert str(caught.value) == (
        'bot.toml: platforms.pigeom: unknown adapter "pigeom". Did you mean pigeon? '
        "Known: console, discord, mastodon, pigeon, telegram, web."
    )
    with pytest.raises(ConfigError) as caught:
        registry.engine("transformer", ModelOptions())
    assert str(caught.value) == (
        'bot.toml: model.engine: unknown engine "transformer". Did you mean transformers? '
        "Known: echo, openai, openvino, transformers."
    )


def test_an_engine_is_made_from_the_models_options(install: Install) -> None:
    install(
        "abacuses",
        "[hobnob.engines]\nabacus = abacuses_module:Abacus\n",
        "class Abacus:\n    def __init__(self, options):\n        self.options = options\n",
    )
    options = ModelOptions(name="wooden")
    assert registry.engine("abacus", options).options is options  # type: ignore[attr-defined]


def test_a_missing_library_is_told_with_the_extra_that_brings_it(install: Install) -> None:
    install(
        "owls",
        "[hobnob.adapters]\nowl = owls_module:Adapter\n",
        "import a_library_that_is_not_there",
        extras="owl",
    )
    with pytest.raises(MissingExtra) as caught:
        registry.adapter("owl", {})
    assert str(caught.value) == (
        "Owl needs a library that is not installed: pip install 'owls[owl]'"
    )


def test_a_missing_library_that_no_extra_brings_is_told_with_the_package(install: Install) -> None:
    install("crows", "[hobnob.adapters]\ncrow = crows_module:Adapter\n", "import not_there_either")
    with pytest.raises(MissingExtra, match="pip install 'crows'"):
        registry.adapter("crow", {})


def test_a_broken_package_is_not_taken_for_a_missing_library(install: Install) -> None:
    install("doves", "[hobnob.adapters]\ndove = doves_module.gone:Adapter\n")
    with pytest.raises(ModuleNotFoundError, match="doves_module"):
        registry.adapter("dove", {})


def test_no_other_package_can_take_the_name_of_an_own_adapter(install: Install) -> None:
    install("cuckoos", "[hobnob.adapters]\ndiscord = cuckoos_module:Adapter\n", PIGEON)
    assert registry.known(registry.ADAPTERS)["discord"].module == "hobnob_discord.adapter"
