"""Which addresses and links may be followed: a table of what attackers try."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport.files.guard import Place, is_allowed, is_public, place_of, target_of

FORBIDDEN = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32
::/128 ::1/128 ::/96 ::ffff:0:0:0/96 100::/64 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48
3fff::/20 5f00::/16 64:ff9b:1::/48 fc00::/7 fe80::/10 fec0::/10 ff00::/8
""".split()

#: forbidden IPv4 addresses behind the forms of IPv6 that carry one
CARRIERS = ("::ffff:0:0", "64:ff9b::", "2a01:e0a::5efe:0:0", "2a01:e0a::200:5efe:0:0")


@pytest.mark.parametrize("network", FORBIDDEN)
def test_the_ends_of_a_forbidden_network_are_not_public(network: str) -> None:
    inside = ip_network(network)
    assert not is_public(inside[0])
    assert not is_public(inside[-1])


@given(st.sampled_from(FORBIDDEN), st.data())
def test_no_address_of_a_forbidden_network_is_public(network: str, data: st.DataObject) -> None:
    inside = ip_network(network)
    assert not is_public(inside[data.draw(st.integers(0, inside.num_addresses - 1))])


@given(st.sampled_from(CARRIERS), st.sampled_from(FORBIDDEN[:19]), st.data())
def test_a_forbidden_address_stays_so_inside_another(
    carrier: str, network: str, data: st.DataObject
) -> None:
    inside = ip_network(network)
    inner = int(inside[data.draw(st.integers(0, inside.num_addresses - 1))])
    assert not is_public(IPv6Address(int(IPv6Address(carrier)) + inner))


@given(
    st.integers(0, 2**64 - 1),
    st.sampled_from(["fe80::", "fc00::", "2a01:e0a::", "ff02::", "2002::"]),
)
def test_a_tunnel_inside_a_site_is_not_public_whatever_it_carries(
    middle: int, network: str
) -> None:
    isatap = (middle >> 32 << 64) | 0x5EFE << 32 | int(IPv4Address("8.8.8.8"))
    assert not is_public(IPv6Address(int(IPv6Address(network)) | isatap))


@given(st.ip_addresses(v=6))
def test_outside_the_block_given_out_nothing_is_public(address: IPv6Address) -> None:
    carried = address.ipv4_mapped is not None or address in ip_network("64:ff9b::/96")
    assert carried or address in ip_network("2000::/3") or not is_public(address)


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "1.1.1.1", "93.184.215.14", "168.63.129.15", "192.0.1.1", "2a00:1450:4007:80e::200e",
     "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)  # fmt: skip
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


def test_a_scoped_address_is_not_public() -> None:
    assert not is_public(ip_address("2a00::1%eth0"))


# --- links ---------------------------------------------------------------------------------

NOT_FOLLOWED = [
    # other schemes, none, or no host
    "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com/", "data:text/plain,x",
    "javascript:alert(1)", "ws://example.com/", "http:", "http://", "http:///a", "//example.com/a",
    "example.com/a", "", "https:example.com/a",
    # user information
    "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/",
    "http://8.8.8.8@127.0.0.1/", "http://127.0.0.1#@example.com:80@x/\\",
    # numbers that resolvers read as addresses
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/",
    "http://017700000001/", "http://127.1/", "http://127.0.1/", "http://1.2.3/", "http://0/",
    "http://0x/", "http://127.0.0.0x1/", "http://256.256.256.256/", "http://1.2.3.4.5/",
    "http://①②⑦.⓪.⓪.①/", "http://１２７.１/", "http://127。1/",
    # names that are none
    "http://exa mple.com/", "http://-example.com/", "http://example-.com/", "http://a..b/",
    "http://.example.com/", "http://example.com../", "http://exa%6dple.com/", "http://127%2e0.0.1/",
    "http://[::1/", "http://[x]/", "http://a[::1]/", "http://[v1.x]/", "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 127 + "com/", "http://*.example.com/", "http://example.com,127.0.0.1/",
    # signs that parsers disagree on
    "http://example.com\\@evil/", "http://example.com/\r\nHost: x", "http://exam\x00ple.com/",
    "http://example.com/\t", " http://example.com/", "http://example.com/a b",
    "http://example.com/\x7f", "http://example.com/\x85", "http://example.com/\u2028",
    "https://exa_mple\u202e.com/", "http://example.com/\ud83d", "http://\ud83d/",
    # ports, lengths
    "http://example.com:99999/", "http://example.com:port/", "http://example.com:-1/", "http://example.com:0/",
    "http://example.com/" + "a" * 5_000, "http://" + "é" * 300 + "/",
]  # fmt: skip


@pytest.mark.parametrize("url", NOT_FOLLOWED, ids=ascii)
def test_a_link_we_do_not_follow(url: str) -> None:
    assert place_of(url) is None


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://files.example.com/a?x=1#y", Place("https", "files.example.com", 443)),
        ("HTTP://Files.Example.COM.:80/", Place("http", "files.example.com", 80)),
        ("http://fïles.example/é", Place("http", "xn--fles-5pa.example", 80)),
        ("https://straße.example/", Place("https", "xn--strae-oqa.example", 443)),
        ("https://my_bucket.s3.example/", Place("https", "my_bucket.s3.example", 443)),
        ("https://example.com:8443/", Place("https", "example.com", 8443)),
        ("http://[2A00::0:1]/", Place("http", "2a00::1", 80)),
        ("http://8.8.8.8./", Place("http", "8.8.8.8", 80)),
        ("http://[::ffff:127.0.0.1]/", Place("http", "::ffff:7f00:1", 80)),
        ("http://[fe80::1%25eth0]/", Place("http", "fe80::1%25eth0", 80)),
    ],
)
def test_a_link_that_is_judged_by_its_address(url: str, place: Place) -> None:
    assert place_of(url) == place


@given(st.text(max_size=60))
def test_any_text_is_a_place_or_none(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://example.com/{text}"):
        place = place_of(url)
        if place is not None:
            assert place.host.isascii()
            assert place.scheme in ("http", "https")
            assert target_of(url)[:1] == b"/"
            assert not set(target_of(url)) & set(b" \r\n\t\\")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", b"/"),
        ("http://a.example?x", b"/?x"),
        ("http://a.example/été.jpg", b"/%C3%A9t%C3%A9.jpg"),
        ("http://a.example/a%20b%2Fc?sig=a%2Bb+c/=&d=~'()*!", b"/a%20b%2Fc?sig=a%2Bb+c/=&d=~'()*!"),
        ("http://a.example/a;v=1/b?q=<é>#part", b"/a;v=1/b?q=%3C%C3%A9%3E"),
    ],
)
def test_a_signed_link_is_asked_for_as_it_was_signed(url: str, target: bytes) -> None:
    assert target_of(url) == target


# --- both together -------------------------------------------------------------------------

PUBLIC, PRIVATE, LOCAL = map(ip_address, ("8.8.8.8", "10.0.0.1", "::1"))


@pytest.mark.parametrize(
    ("port", "addresses", "allow", "allowed"),
    [
        (80, [PUBLIC], (), True),
        (443, [PUBLIC, ip_address("2a00::1")], (), True),
        (8080, [PUBLIC], (), False),
        (22, [PUBLIC], (), False),
        (80, [], (), False),
        (80, [], ("example.com",), False),
        (80, [PRIVATE], (), False),
        (80, [PUBLIC, PRIVATE], (), False),
        (80, [PRIVATE, PUBLIC], (), False),
        (8080, [PRIVATE], ("example.com",), True),
        (8080, [PRIVATE], (" Example.COM ",), True),
        (8080, [PRIVATE], ("10.0.0.0/8",), True),
        (8080, [PRIVATE], ("10.0.0.1",), True),
        (80, [PRIVATE], ("not a network", "", "10.0.0.0/33"), False),
        (80, [PUBLIC, PRIVATE], ("10.0.0.0/8",), False),
        (80, [PRIVATE, LOCAL], ("10.0.0.0/8",), False),
        (80, [PRIVATE, LOCAL], ("10.0.0.0/8", "::1/128"), True),
        (80, [PRIVATE], ("sub.example.com", "ample.com"), False),
        (80, [ip_address("::ffff:10.0.0.1")], ("10.0.0.0/8",), False),
    ],
)
def test_a_place_is_dialled_only_when_every_address_may_be(
    port: int, addresses: list[IPv4Address | IPv6Address], allow: tuple[str, ...], allowed: bool
) -> None:
    assert is_allowed(Place("http", "example.com", port), addresses, allow) is allowed
