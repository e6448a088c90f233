"""Where a stranger's link may lead us. The table is of what has fooled others."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.errors import PageFailed
from hobnob.web.address import checked, is_public

HOSTILE = [
    # addresses in all their spellings
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://0x7f.0.0.1/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0X7F.0X1/",
    "http://127.0.0.1./",
    "http://127.0.0.0x1/",
    "http://00000127.0.0.1/",
    "http://4294967297/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://10.0.0.1/",
    "http://192.168.0.1/",
    "http://93.184.216.34/",  # a public one too: people link to names
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2606:2800:220:1::]/",
    "http://１２７.０.０.１/",  # full width
    "http://127。0。0。1/",  # ideographic full stops
    "http://①②⑦.⓪.⓪.①/",
    "http://١٢٧.0.0.1/",
    "http://%31%32%37.0.0.1/",
    # names that mean something else in every network
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://ⓛocalhost/",
    "http://localhost.localdomain/",
    "http://foo.localhost/",
    "http://router/",
    "http://router.lan/",
    "http://nas.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://printer.home.arpa/",
    "http://wiki.corp/",
    "http://something.onion/",
    # tricks with what stands before and behind the name
    "http://good.example@127.0.0.1/",
    "http://user:password@good.example/",
    "http://user@good.example/",
    "http://good.example%40evil.example/",
    "http://good.example\\@127.0.0.1/",
    "http://127.0.0.1\\.good.example/",
    "http://good.example%00.evil.example/",
    "http://good.example%2f.evil.example/",
    "http://good.example%2eevil/",
    "http://good .example/",
    "http://good.example\n/",
    "http://good.example/\r\nHost: inside",
    "http://good.example\t/",
    "http://good..example/",
    "http://.good.example/",
    "http://-good.example/",
    "http://good.example../",
    "http://good_.example_/",
    "http://\u202egood.example/",
    "http://gööd\u00ad\u200b.example/",
    "http:///etc/passwd",
    "http://",
    "http:good.example",
    "http:/good.example",
    "//good.example/",
    "good.example",
    "",
    "http://xn--/",
    "http://xn--a.xn--/",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 127}example/",
    f"http://good.example/{'a' * 3000}",
    # ports
    "http://good.example:22/",
    "http://good.example:8080/",
    "http://good.example:443/",
    "https://good.example:80/",
    "http://good.example:0/",
    "http://good.example:65616/",  # 80 and 65536
    "http://good.example:-80/",
    # schemes
    "file:///etc/passwd",
    "file://good.example/etc/passwd",
    "ftp://good.example/",
    "gopher://good.example:80/_GET",
    "dict://good.example:80/",
    "ldap://good.example/",
    "javascript:alert(1)",
    "data:text/html,hello",
    "unix:///var/run/docker.sock",
    "view-source:http://good.example/",
    "jar:http://good.example!/",
    "httpx://good.example/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_link_is_refused(url: str) -> None:
    with pytest.raises(PageFailed):
        checked(url)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://good.example", "http://good.example/"),
        ("HTTPS://Good.Example./a?b=c#d", "https://good.example/a?b=c"),
        ("http://good.example:80/", "http://good.example/"),
        ("http://good.example:８０/", "http://good.example/"),
        ("https://good.example:443/x", "https://good.example/x"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://a.b.c.good.example/?u=http://127.0.0.1/", None),
        ("http://under_score.good.example/", None),
        ("http://good.xn--p1ai/", None),
        ("http://good.example/a@b", None),
        ("http://1.good.example/", None),
    ],
)
def test_a_link_to_a_public_name_is_taken(url: str, asked: str | None) -> None:
    found = checked(url)
    scheme, host, target = (
        part.decode() for part in (found.raw_scheme, found.raw_host, found.raw_path)
    )
    assert f"{scheme}://{host}{target}" == (asked or url)


@given(st.text(max_size=60) | st.from_regex(r"https?://[^\s]{0,40}"))
def test_no_text_does_more_than_be_refused(url: str) -> None:
    try:
        found = checked(url)
    except PageFailed:
        return
    host = found.raw_host.decode()
    assert host.isascii()
    with pytest.raises(ValueError):
        ipaddress.ip_address(host)
    assert found.port is None
    assert not found.userinfo


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1"),
        *("127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1"),
        *("192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"),
        *("::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
        *("100::1", "2001::1", "2001:0:7f00:1::", "2001:20::1", "2001:db8::1", "2002:7f00:1::"),
        *("2002:808:808::1", "3fff::1", "4000::1", "5f00::1", "e000::1"),
        *("fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
        *("2606:2800:220:1::1%eth0", "", "localhost", "127.1", "0x7f.0.0.1", "1.2.3", "１.1.1.1"),
    ],
)
def test_an_address_that_is_not_for_all_the_world_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "172.32.0.1", "223.255.255.1"),
        *("2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001::1", "64:ff9b::808:808"),
    ],
)
def test_an_address_of_the_public_internet_is(address: str) -> None:
    assert is_public(address)
