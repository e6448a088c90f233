"""What a reader would see on a page."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.web.readable import MOST, plain, readable

LONG = "It says a lot about foxes. " * 20


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<p>one\n  two&nbsp;&amp; three</p>", "one two & three"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("a <b>bold</b> word", "a bold word"),
        ("1 < 2 and a<b", "1 < 2 and a"),
        ("<script>if (a < b) { '</p>' }</script>seen", "seen"),
        ("<SCRIPT src=x>no</ScRiPt >seen", "seen"),
        ("<style>p { x }</style>seen<textarea>no</textarea>", "seen"),
        ("<!-- <p>no</p> -->seen<!---->too<!-->and this", "seentooand this"),
        ("<!DOCTYPE html><?xml x?>seen<![CDATA[no]]>", "seen"),
        ("<nav><div>no</div></nav>seen<footer>no</footer>", "seen"),
        ("<nav><nav>no</nav>no</nav>seen", "seen"),
        ("<svg/>seen<svg><text>no</text></svg>", "seen"),
        ("<p hidden>no</p>seen<p hidden=''>no</p>", "seen"),
        ("<p aria-hidden=true>no</p>seen", "seen"),
        ("<div style='color: red; display : none'>no<div>no</div>no</div>seen", "seen"),
        ('<p style="visibility:hidden">no</p>seen<input hidden>', "seen"),
        ("<a title='hidden truth' href=/hidden>seen</a>", "seen"),
        ('<a title="a > b">seen</a>', "seen"),
        ('<p class=foo">seen</p>', "seen"),
        ("<head><title>T</title><meta x=y><body>seen", "seen"),
        ("a\u202eb\u200bc\x00d\ud800e&#xD800;f&#x202e;g\U000e0041h", "abc de\ufffdfgh"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
        ("seen<!-- never ends", "seen"),
        ("seen<p class='never ends", "seen"),
        ("seen<script>never ends", "seen"),
        ("", ""),
    ],
)
def test_what_is_seen_of_a_page(source: str, text: str) -> None:
    assert readable(source).text == text


def test_the_title_is_one_line() -> None:
    page = readable(
        "<html><head>\n<title>\n Foxes &amp;\n geese <b></title></head>x<title>no</title>"
    )
    assert page.title == "Foxes & geese <b>"


@pytest.mark.parametrize("name", ["main", "article"])
def test_of_a_page_with_a_main_part_that_is_read(name: str) -> None:
    page = readable(f"<div>cookies!</div><{name} id=x><p>{LONG}</p></{name}><div>more</div>")
    assert page.text == LONG.strip()


def test_a_main_part_that_says_little_is_not_what_the_page_is_about() -> None:
    assert readable(f"<p>{LONG}</p><main>loading</main>").text.startswith("It says")


def test_plain_text_keeps_its_lines() -> None:
    assert plain("a  b\r\n\r\n\n c\x1b[2Jd") == "a b\nc [2Jd"


@given(st.text(alphabet=st.sampled_from("<>/!-?=\"' &;#aphdtmsv\n"), max_size=200))
def test_no_page_makes_reading_fail(source: str) -> None:
    page = readable(source)
    assert "\n\n" not in page.text


@pytest.mark.parametrize(
    "around", ["{}", "{}>", "<a {}>", "<p {}'\">", "<title>{}", "<script>{}-->"]
)
@pytest.mark.parametrize(
    "unit",
    [
        *("<!--", "<![", "<?", "<a ", "</a ", "</", "<a ='", "<a =\">'", "<", "&#", "&a", "<main>"),
        *("<svg/>", "<p>x</p>", "=", "<script>", "<p hidden>", "style=' ", "\u202e"),
        "<a" + " " * 50,
    ],
)
def test_reading_takes_time_in_proportion_to_the_page(unit: str, around: str) -> None:
    source = around.format(unit * (512 * 1024 // len(unit)))
    began = time.process_time()
    assert len(readable(source).text) <= 2 * MOST
    assert time.process_time() - began < 2  # a quadratic parser takes minutes
