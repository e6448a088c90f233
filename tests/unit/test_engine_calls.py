"""Calls in the text of a model in this process."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.engine.calls import LONGEST, MOST, CallCutter
from hobnob.engine.tokens import Template
from hobnob.errors import EngineError
from hobnob.events import ToolCall
from tests import tiny_model

CALL = '<tool_call>\n{"name": "roll", "arguments": {"dice": "2d6"}}\n</tool_call>'
ROLL = ToolCall(id="call_0", name="roll", arguments='{"dice": "2d6"}')


def cut(text: str, size: int = 1) -> tuple[str, list[ToolCall]]:
    cutter = CallCutter()
    shown = [cutter.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join([*shown, cutter.rest()]), cutter.calls


@given(
    before=st.text(alphabet="ab<tool_cal>/ {}", max_size=30).filter(
        lambda t: "<tool_call>" not in t
    ),
    size=st.integers(1, 90),
)
def test_text_around_a_call_is_shown_and_no_part_of_the_call(before: str, size: int) -> None:
    assert cut(f"{before}{CALL} after", size) == (f"{before} after", [ROLL])


def test_each_call_is_one() -> None:
    shown, calls = cut(f"Two: {CALL}\n{CALL}")
    assert shown == "Two: \n"
    assert [call.id for call in calls] == ["call_0", "call_1"]
    assert len(cut(CALL * (MOST + 3))[1]) == MOST


@pytest.mark.parametrize(
    ("written", "name", "arguments"),
    [
        ('{"name": "roll"}', "roll", "{}"),
        ('{"name": "roll", "parameters": {"a": "日"}}', "roll", '{"a": "日"}'),
        ('{"name": "roll", "arguments": "{\\"a\\": 1}"}', "roll", '{"a": 1}'),
        ("roll(2d6)", "", "roll(2d6)"),
        ('{"name": 7}', "", '{"name": 7}'),
        ("[" * 9000, "", "[" * 9000),
        ('{"name": "roll", "argum', "", '{"name": "roll", "argum'),
    ],
)
def test_what_is_written_is_read_or_has_no_name(written: str, name: str, arguments: str) -> None:
    expected = [ToolCall(id="call_0", name=name, arguments=arguments)]
    assert cut(f"<tool_call>{written}</tool_call>", 7) == ("", expected)
    assert cut(f"<tool_call>{written}", 7) == ("", expected)  # the answer ended before it


def test_a_call_that_never_ends_is_an_error() -> None:
    with pytest.raises(EngineError, match="never ends"):
        cut("<tool_call>" + "x" * (LONGEST + 100), 50)


class TestATemplate:
    @pytest.mark.parametrize(
        ("template", "knows"),
        [
            (tiny_model.TEMPLATE, False),
            (tiny_model.TOOLS, True),
            (tiny_model.TOOLS.replace("tool_call>", "function>"), False),
            (tiny_model.TOOLS.replace('{"name": "', "<function="), False),
            (tiny_model.TOOLS.replace("{% if tools %}", "{% if false %}"), False),
            ("{% if tools %}{{ raise_exception('none') }}{% endif %}" + tiny_model.TEMPLATE, False),
        ],
    )
    def test_says_whether_its_model_calls_tools(
        self, template: str, knows: bool, tmp_path: Path
    ) -> None:
        from transformers import AutoTokenizer

        tiny_model.make(tmp_path, template=template)
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
        assert Template(tokenizer, "tiny").calls_tools is knows
