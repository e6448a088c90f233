"""The log: readable lines, and never a secret."""

import logging
import re
import sys
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from hobnob import logs

TOKEN = "123456:AA-b_c/D+e f\\g'hé"
log = logging.getLogger("hobnob.test")


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        quote(TOKEN),
        quote(TOKEN, safe=""),
        quote(TOKEN, safe=":/"),
        quote_plus(TOKEN),
        re.sub("%..", lambda match: match[0].lower(), quote(TOKEN, safe="")),
        repr(TOKEN)[1:-1],
    ],
)
def test_a_secret_is_hidden_in_every_form(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(verbose=False, secrets=["", TOKEN])
    log.info("GET http://host/bot%s/getMe", form)
    assert capsys.readouterr().err.endswith("INFO    hobnob.test: GET http://host/bot***/getMe\n")


def test_a_secret_is_hidden_in_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(verbose=False, secrets=["hunter2"])
    try:
        try:
            raise KeyError("hunter2")
        except KeyError as error:
            raise ValueError("the password is hunter2") from error
    except ValueError:
        record = log.makeRecord(log.name, logging.ERROR, "", 0, "failed", (), sys.exc_info())
    logging.Formatter().format(record)  # which leaves its own traceback in the record
    log.handle(record)
    told = capsys.readouterr().err
    assert "hunter2" not in told
    assert "\n    ValueError: the password is ***\n" in told
    assert "\n    KeyError: '***'\n" in told


def test_the_longer_of_two_secrets_is_hidden_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(verbose=False, secrets=["abc", "abcdef"])
    log.info("abcdef abc")
    assert capsys.readouterr().err.endswith(": *** ***\n")


def test_a_record_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(verbose=False, secrets=[])
    log.info("said %s", "hi\n2026-01-01 00:00:00 ERROR root: forged\r\x1b[31m\u2028")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told[:-1].isprintable()
    assert r"said hi\n2026" in told


def test_a_record_that_does_not_fit_its_values_is_still_told_without_secrets() -> None:
    record = log.makeRecord(log.name, logging.INFO, "", 0, "%d", ("hunter2",), None)
    told = logs.Formatter(["hunter2"]).format(record)
    assert "hunter2" not in told
    assert told.endswith("%d (with values that do not fit this text)")


@pytest.mark.parametrize("library", ["httpx", "discord.gateway", "telegram.ext", "some.library"])
@pytest.mark.parametrize("verbose", [False, True])
def test_of_libraries_only_warnings_are_told(
    library: str, verbose: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(verbose=verbose, secrets=[])
    logging.getLogger(library).info("chatter")
    logging.getLogger(library).warning("trouble")
    told = capsys.readouterr().err
    assert "chatter" not in told
    assert "trouble" in told


def test_details_are_told_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(verbose=False, secrets=[])
    log.debug("detail")
    assert capsys.readouterr().err == ""
    logs.configure(verbose=True, secrets=[])
    log.debug("detail")
    assert capsys.readouterr().err.count("detail") == 1


def test_a_second_call_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(verbose=False, secrets=[])
    logs.configure(verbose=False, secrets=["hunter2"])
    log.info("hunter2")
    assert capsys.readouterr().err.endswith(": ***\n")
