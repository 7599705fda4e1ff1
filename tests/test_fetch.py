"""Downloads from servers that mean harm: every failure is one sentence, nothing is left behind.

The Internet of these tests is made of names and public addresses; whatever is dialled is led
to a server on the loopback and written down.
"""

import gzip
import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from figsupport.errors import FileProblem
from figsupport.files.fetch import Fetched, FetchProblem, Network, downloaded, fetch, resolve
from figsupport.files.guard import IPAddress, is_public

from .test_guard import NOT_FOLLOWED

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

Answer = Callable[[socket.socket], None]
Resolve = Callable[[str, int], Sequence[IPAddress]]
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20
MOST = 100_000
SIGNED = "?X-Amz-Signature=s3cr3t"


class Internet:
    """Names, the addresses they have, and the servers behind; what was asked and dialled."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.requests: list[bytes] = []
        self._servers: dict[str, socket.socket] = {}

    def serve(self, name: str, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        """Put a server that answers each connection by a function behind a name."""
        address = f"93.184.215.{len(self._servers) + 1}"
        self.names.setdefault(name, []).append(address)
        self._servers[address] = server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._run, args=(server, answer, tls), daemon=True).start()

    def _run(self, server: socket.socket, answer: Answer, tls: ssl.SSLContext | None) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(1)
                if tls:
                    with tls.wrap_socket(connection, server_side=True) as secure:
                        self.requests.append(secure.recv(65_536))
                        answer(secure)
                else:
                    self.requests.append(connection.recv(65_536))
                    answer(connection)
                    connection.shutdown(socket.SHUT_WR)

    def resolve(self, host: str, port: int) -> Sequence[IPAddress]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror("no such name")
        return [ip_address(text) for text in self.names[host]]

    def dial(self, literal: str, port: int, seconds: float) -> httpcore.NetworkStream:
        self.dialled.append((literal, port))
        if literal not in self._servers:
            raise httpcore.ConnectError("nobody there")
        local: int = self._servers[literal].getsockname()[1]
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", local, seconds)

    def close(self) -> None:
        for server in self._servers.values():
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()


@pytest.fixture
def internet() -> Iterator[Internet]:
    world = Internet()
    yield world
    world.close()


@pytest.fixture
def get(internet: Internet, tmp_path: Path) -> Callable[..., Fetched]:
    """Downloads into a spool folder, with half a second for everything."""

    def get_(
        url: str,
        *,
        most: int = MOST,
        allow: Sequence[str] = (),
        deadline: float = 0.5,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Fetched:
        network = Network(resolve or internet.resolve, internet.dial, tls)
        return fetch(url, tmp_path / "spool", most, allow, deadline=deadline, network=network)

    return get_


@pytest.fixture
def code_of(get: Callable[..., Fetched], internet: Internet, tmp_path: Path) -> Callable[..., str]:
    """The code of the one problem a download ends with, promptly and without a trace."""

    def code_of_(url: str, **options: object) -> str:
        began = time.monotonic()
        with pytest.raises(FetchProblem) as caught:
            get(url, **options)
        assert time.monotonic() - began < 1.5
        assert list(tmp_path.glob("spool/*")) == []
        assert all(is_public(ip_address(literal)) for literal, _ in internet.dialled)
        told = caught.value
        for sentence in (told.french, told.english, str(told)):
            assert sentence
            assert not re.search(r"://|\?|s3cr3t|example|93\.184|127\.0", sentence)
        return told.code

    return code_of_


def raw(content: bytes) -> Answer:
    return lambda connection: connection.sendall(content)


def reply(status: str = "200 OK", body: bytes = b"", *headers: str) -> Answer:
    return raw("\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode() + body)


def slowly(content: bytes, pause: float = 0.04) -> Answer:
    """Every single read is fast; the whole never ends."""

    def answer(connection: socket.socket) -> None:
        for byte in content:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return answer


def endless(start: bytes, again: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(100_000):
            connection.sendall(again)

    return answer


def silent(connection: socket.socket) -> None:
    with suppress(TimeoutError):
        connection.recv(1)


def stalled(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    silent(connection)


def slammed(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


# --- what works ----------------------------------------------------------------------------


def test_a_file_comes_whole_and_private(
    internet: Internet, get: Callable[..., Fetched], tmp_path: Path
) -> None:
    internet.serve("files.example", reply("200 OK", JPEG, f"Content-Length: {len(JPEG)}",
                                          "Content-Type: image/JPEG; x=y"))  # fmt: skip
    got = get("http://files.example/photo%20é.jpg" + SIGNED)
    assert got.path.read_bytes() == JPEG
    assert got.path.parent == tmp_path / "spool"
    assert got.path.stat().st_mode & 0o777 == 0o600
    assert got.path.parent.stat().st_mode & 0o777 == 0o700
    assert (got.size, got.sha256) == (len(JPEG), hashlib.sha256(JPEG).hexdigest())
    assert (got.content_type, got.head) == ("image/jpeg", JPEG)
    assert internet.dialled == [("93.184.215.1", 80)]


def test_the_server_is_told_the_least(internet: Internet, get: Callable[..., Fetched]) -> None:
    internet.serve("a.example", reply("302 Found", b"", "Location: http://b.example/x#y",
                                      "Set-Cookie: a=b"))  # fmt: skip
    internet.serve("b.example", reply("200 OK", JPEG))
    get("http://a.example/é" + SIGNED)
    assert internet.requests == [
        b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nUser-Agent: figsupport\r\n"
        b"Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
        for target, host in ((b"/%C3%A9" + SIGNED.encode(), b"a.example"), (b"/x", b"b.example"))
    ]


def test_no_proxy_of_the_machine_is_used(
    internet: Internet, get: Callable[..., Fetched], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    internet.serve("files.example", reply("200 OK", JPEG))
    assert get("http://files.example/a").size == len(JPEG)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (reply("200 OK", b"5\r\nhello\r\n4;x=y\r\n you\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), b"hello you"),
        (reply("200 OK", b"hello and more", "Content-Length: 5"), b"hello"),
        (reply("200 OK", b"hello", "Content-Encoding: identity"), b"hello"),
        (raw(b"HTTP/1.0 200\r\n\r\nhello"), b"hello"),
        (raw(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello"), b"hello"),
        (reply("200 OK", b"x" * MOST), b"x" * MOST),
    ],
)  # fmt: skip
def test_answers_of_honest_servers(
    internet: Internet, get: Callable[..., Fetched], answer: Answer, body: bytes
) -> None:
    internet.serve("files.example", answer)
    assert get("http://files.example/a").path.read_bytes() == body


def test_the_next_address_is_tried_when_one_does_not_answer(
    internet: Internet, get: Callable[..., Fetched]
) -> None:
    internet.names["files.example"] = ["2a00::1", "93.184.216.9"]
    internet.serve("files.example", reply("200 OK", JPEG))
    assert get("http://files.example/a").size == len(JPEG)
    assert [literal for literal, _ in internet.dialled] == [
        "2a00::1",
        "93.184.216.9",
        "93.184.215.1",
    ]


def test_three_redirects_and_no_more(
    internet: Internet, get: Callable[..., Fetched], code_of: Callable[..., str]
) -> None:
    for number in range(4):
        location = f"Location: //hop{number + 1}.example/a b"
        internet.serve(f"hop{number}.example", reply("302 Found", b"", location))
    internet.serve("hop4.example", reply("200 OK", JPEG))
    assert code_of("http://hop0.example/") == "unreachable"
    assert get("http://hop1.example/").size == len(JPEG)


# --- what is refused -----------------------------------------------------------------------

LARGE = b"HTTP/1.1 200 OK\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
HOSTILE: dict[str, tuple[Answer, str]] = {
    "expired, said plainly": (reply("410 Gone"), "expired"),
    "expired, as storage says it": (reply("403 Forbidden", b"<Error>Request has expired</Error>"), "expired"),
    "asks to log in": (reply("401 Unauthorized", b"", "WWW-Authenticate: Basic"), "expired"),
    "not found": (reply("404 Not Found"), "gone"),
    "server error": (reply("500 Oops"), "unreachable"),
    "too busy": (reply("429 Slow down", b"", "Retry-After: 9999"), "unreachable"),
    "no content": (reply("204 No Content"), "unreachable"),
    "a part nobody asked for": (reply("206 Partial Content", JPEG), "unreachable"),
    "another protocol": (reply("101 Switching Protocols", b"", "Upgrade: x"), "unreachable"),
    "a status nobody knows": (reply("799 Weird"), "unreachable"),
    "empty": (reply("200 OK", b"", "Content-Length: 0"), "empty"),
    "empty until the end": (reply(), "empty"),
    "a page for an expired link": (reply("200 OK", b"<!DOCTYPE html><p>This link expired"), "page"),
    "a page said to be a model": (reply("200 OK", b"\n <HTML>", "Content-Type: model/gltf-binary"), "page"),
    "a page as XML": (reply("200 OK", b"<?xml version='1.0'?><html/>"), "page"),
    "a page in small pieces": (slowly(b"HTTP/1.1 200 OK\r\n\r\n<html>", 0.005), "page"),
    "a git-lfs pointer": (reply("200 OK", b"version https://git-lfs.github.com/spec/v1\noid"), "lfs-pointer"),
    "too large, announced": (reply("200 OK", b"", f"Content-Length: {MOST + 1}"), "too_large"),
    "too large by one, unannounced": (reply("200 OK", b"x" * (MOST + 1)), "too_large"),
    "a length of a galaxy": (reply("200 OK", b"x", "Content-Length: 99999999999999999999"), "too_large"),
    "endless body": (endless(LARGE, b"x" * 10_000), "too_large"),
    "endless chunks": (endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + b"x" * 10_000 + b"\r\n"), "too_large"),
    "shorter than announced": (reply("200 OK", JPEG, "Content-Length: 50000"), "unreachable"),
    "gzip": (reply("200 OK", gzip.compress(b"0" * 10_000_000), "Content-Encoding: gzip"), "unreachable"),
    "brotli": (reply("200 OK", b"x", "content-encoding:  BR "), "unreachable"),
    "gzip said second": (reply("200 OK", b"x", "Content-Encoding: identity", "Content-Encoding: gzip"), "unreachable"),
    "gzip as transfer": (reply("200 OK", b"x", "Transfer-Encoding: gzip, chunked"), "unreachable"),
    "length below zero": (reply("200 OK", b"x", "Content-Length: -1"), "unreachable"),
    "length of letters": (reply("200 OK", b"x", "Content-Length: 0x10"), "unreachable"),
    "two lengths": (reply("200 OK", b"xx", "Content-Length: 1", "Content-Length: 2"), "unreachable"),
    "chunks of letters": (reply("200 OK", b"zz\r\nnonsense", CHUNKED), "unreachable"),
    "a chunk below zero": (reply("200 OK", b"-5\r\nhello", CHUNKED), "unreachable"),
    "a chunk beyond numbers": (reply("200 OK", b"F" * 40 + b"\r\n", CHUNKED), "unreachable"),
    "a chunk that lies": (reply("200 OK", b"2\r\nhello\r\n0\r\n\r\n", CHUNKED), "unreachable"),
    "a chunk cut": (reply("200 OK", b"50\r\nhello", CHUNKED), "unreachable"),
    "a chunk line without end": (reply("200 OK", b"5;" + b"x" * 300_000, CHUNKED), "unreachable"),
    "not a word of HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "unreachable"),
    "a status of letters": (raw(b"HTTP/1.1 two hundred\r\n\r\n"), "unreachable"),
    "a header without a colon": (reply("200 OK", b"x", "nonsense"), "unreachable"),
    "a header with a zero": (reply("200 OK", b"x", "A: \0"), "unreachable"),
    "one header of a megabyte": (endless(b"HTTP/1.1 200 OK\r\nA: ", b"x" * 100_000), "unreachable"),
    "headers without end": (endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 2_000), "unreachable"),
    "hints without end": (endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50), "slow"),
    "a line without end": (endless(b"HTTP/1.1 200 ", b"O" * 100_000), "unreachable"),
    "nothing at all": (raw(b""), "unreachable"),
    "a door slammed": (slammed, "unreachable"),
    "silence": (silent, "slow"),
    "silence after the headers": (stalled, "slow"),
    "slow headers": (slowly(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50), "slow"),
    "slow body": (slowly(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200, 0.01), "slow"),
    "redirect to bytes": (raw(b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n\r\n"), "address"),
    "redirect nowhere": (reply("302 Found"), "unreachable"),
    "redirect to itself": (reply("302 Found", b"", "Location: /a"), "unreachable"),
    "redirect to a choice": (reply("300 Multiple Choices", b"", "Location: /b"), "unreachable"),
    **{
        f"redirect to {location}": (reply("307 Moved", b"", f"Location: {location}"), "address")
        for location in (
            "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "http://localhost/",
            "http://user:pw@files.example/", "http://[::1]/", "gopher://x/", "http://2130706433/",
            "http://files.example:22/", "https://files.example:8443/", "//10.0.0.1/", "http://0x7f.1/",
            "http://files.example\\@10.0.0.1/", "data:text/plain,x", "http://[x/",
            "http://[::ffff:10.0.0.1]/", "javascript:alert(1)", "http://private.example/",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_server_gets_nowhere(
    internet: Internet, code_of: Callable[..., str], case: str
) -> None:
    answer, code = HOSTILE[case]
    internet.names |= {"localhost": ["127.0.0.1", "::1"], "private.example": ["192.168.0.1"]}
    internet.serve("files.example", answer)
    assert code_of("http://files.example/a" + SIGNED) == code


INNER = [
    "file:///etc/passwd", "ftp://files.example/a", "data:text/plain,x", "", "files.example",
    "http://user:pw@files.example/", "http://files.example@10.0.0.1/", "http://files.example:8080/",
    "http://files.example:22/", "https://files.example:0/", "http://files.example\\@10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1/", "http://[::1]/", "http://0/",
    "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
    "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[fe80::1%25lo]/",
    "http://[fd00:ec2::254]/", "http://100.100.100.200/", "http://168.63.129.16/",
    "http://[fe80::5efe:808:808]/", "http://[2002:7f00:1::]/", "http://[fec0::1]/",
    "http://localhost/", "http://private.example/", "http://mixed.example/", "http://xedmi.example/",
    "https://mapped.example/", "http://none.example/", "http://files.example/\r\nX: y",
    "http://" + "a" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("url", INNER)
def test_no_inner_address_is_dialled(
    internet: Internet, code_of: Callable[..., str], url: str
) -> None:
    internet.names = {
        "files.example": ["93.184.215.1"],
        "localhost": ["127.0.0.1"],
        "private.example": ["192.168.1.1"],
        "mixed.example": ["93.184.215.1", "10.0.0.1"],
        "xedmi.example": ["fd00::1", "2a00::1"],
        "mapped.example": ["::ffff:169.254.169.254"],
        "none.example": [],
    }
    assert code_of(url) == "address"
    assert internet.dialled == []


def test_the_corpus_is_as_large_as_it_should_be(say: Callable[[str], None]) -> None:
    assert len(HOSTILE) >= 45
    assert len({*INNER, *NOT_FOLLOWED}) >= 45
    say(
        f"{len(HOSTILE)} hostile answers and {len({*INNER, *NOT_FOLLOWED})} hostile links: each is "
        "one problem, nothing private is dialled, nothing is left behind"
    )


STATUS = st.sampled_from([b"200 OK", b"302 Found", b"404 No", b"200", b"100 Continue", b""])
HEADER = st.sampled_from(
    [b"Content-Length: 5", b"Content-Length: -5", CHUNKED.encode(), b"Location: /b", b"Location: \xff",
     b"Location: http://[", b"Content-Type: \xe9;", b"Content-Encoding: x", b"\0", b": ", b"A"]
)  # fmt: skip
BODY = st.binary(max_size=30) | st.sampled_from([b"5\r\nhello\r\n0\r\n\r\n", b"<html>", JPEG])


@given(
    st.lists(st.tuples(STATUS, st.lists(HEADER, max_size=3), BODY), max_size=2),
    st.binary(max_size=9),
)
def test_whatever_a_server_says_is_a_file_or_one_problem(
    tmp_path_factory: pytest.TempPathFactory,
    answers: list[tuple[bytes, list[bytes], bytes]],
    noise: bytes,
) -> None:
    said = b"".join(
        b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"", body])
        for status, headers, body in answers
    )
    network = Network(
        resolve=lambda _host, _port: [ip_address("93.184.215.1")],
        dial=lambda _literal, _port, _seconds: httpcore.MockStream([said[:20], said[20:], noise]),
    )
    folder = tmp_path_factory.getbasetemp() / "any"
    with suppress(FetchProblem):
        fetch("http://files.example/a", folder, MOST, network=network).path.unlink()
    assert not list(folder.glob("*"))


# --- names ---------------------------------------------------------------------------------


def test_a_name_is_resolved_once(internet: Internet, get: Callable[..., Fetched]) -> None:
    """The second answer, private this time, is never asked for."""
    internet.serve("files.example", reply("200 OK", JPEG))

    def rebinding(host: str, port: int) -> Sequence[IPAddress]:
        found = internet.resolve(host, port)
        return found if len(internet.asked) == 1 else [ip_address("10.0.0.1")]

    assert get("http://files.example/a", resolve=rebinding).size == len(JPEG)
    assert internet.asked == ["files.example"]
    assert internet.dialled == [("93.184.215.1", 80)]


def test_a_name_that_turns_private_on_the_second_hop(
    internet: Internet, code_of: Callable[..., str]
) -> None:
    internet.serve("files.example", reply("302 Found", b"", "Location: /b"))

    def rebinding(host: str, port: int) -> Sequence[IPAddress]:
        found = internet.resolve(host, port)
        return found if len(internet.asked) == 1 else [ip_address("10.0.0.1")]

    assert code_of("http://files.example/a", resolve=rebinding) == "address"
    assert internet.dialled == [("93.184.215.1", 80)]


def test_the_system_resolves_every_kind_of_address() -> None:
    assert resolve("127.0.0.1", 80) == [ip_address("127.0.0.1")]
    assert resolve("::1", 443) == [ip_address("::1")]


def test_a_name_that_does_not_exist(code_of: Callable[..., str]) -> None:
    assert code_of("https://nowhere.example/a" + SIGNED) == "unreachable"


def test_a_resolver_that_takes_its_time(code_of: Callable[..., str]) -> None:
    def slow(host: str, port: int) -> Sequence[IPAddress]:
        time.sleep(0.5)
        return [ip_address("93.184.215.1")]

    assert code_of("http://files.example/", resolve=slow, deadline=0.1) == "unreachable"


def test_a_host_of_many_dead_addresses_costs_four_dials(
    internet: Internet, code_of: Callable[..., str]
) -> None:
    internet.names["files.example"] = [f"93.184.216.{number}" for number in range(50)]
    assert code_of("http://files.example/") == "unreachable"
    assert len(internet.dialled) == 4


def test_an_error_of_our_own_is_no_problem_of_the_client(get: Callable[..., Fetched]) -> None:
    def broken(host: str, port: int) -> Sequence[IPAddress]:
        raise TypeError("a mistake in our code")

    with pytest.raises(TypeError):
        get("http://files.example/", resolve=broken)


@pytest.mark.parametrize("allow", [["studio.example"], ["10.0.0.0/8"], ["10.0.0.7"]])
def test_hosts_and_networks_of_the_studio_may_be_opened(
    internet: Internet, get: Callable[..., Fetched], allow: list[str]
) -> None:
    internet.serve("other.example", reply("200 OK", JPEG))
    internet.names["studio.example"] = ["10.0.0.7"]
    internet._servers["10.0.0.7"] = internet._servers["93.184.215.1"]
    assert get("http://studio.example:8080/", allow=allow).size == len(JPEG)
    assert internet.dialled == [("10.0.0.7", 8080)]
    assert b"Host: studio.example:8080\r\n" in internet.requests[0]


def test_a_literal_ipv6_address_is_asked_by_its_name(
    internet: Internet, get: Callable[..., Fetched]
) -> None:
    internet.serve("other.example", reply("200 OK", JPEG))
    internet._servers["2a00::1"] = internet._servers["93.184.215.1"]
    assert get("http://[2a00::1]/a").size == len(JPEG)
    assert internet.asked == []
    assert b"Host: [2a00::1]\r\n" in internet.requests[0]


# --- TLS -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def speaking_for(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_tls_speaks_to_the_name_not_to_the_address(
    internet: Internet, get: Callable[..., Fetched], authority: trustme.CA
) -> None:
    server, named = speaking_for(authority, "files.example"), []
    server.sni_callback = lambda _socket, name, _context: named.append(name)
    internet.serve("files.example", reply("200 OK", JPEG, f"Content-Length: {len(JPEG)}"), server)
    assert get("https://files.example/a", tls=trusting(authority)).size == len(JPEG)
    assert named == ["files.example"]
    assert internet.dialled == [("93.184.215.1", 443)]
    assert b"Host: files.example\r\n" in internet.requests[0]


@pytest.mark.parametrize(
    ("name", "trusted"), [("other.example", True), ("93.184.215.1", True), ("files.example", False)]
)
def test_a_certificate_that_proves_nothing(
    internet: Internet, code_of: Callable[..., str], authority: trustme.CA, name: str, trusted: bool
) -> None:
    internet.serve("files.example", reply("200 OK", JPEG), speaking_for(authority, name))
    tls = trusting(authority) if trusted else None  # the usual authorities
    assert code_of("https://files.example/a", tls=tls) == "certificate"
    assert internet.requests == []


@pytest.mark.parametrize("answer", [silent, reply("400 Plain HTTP on a TLS port"), slammed])
def test_a_server_that_speaks_no_tls(
    internet: Internet, code_of: Callable[..., str], answer: Answer
) -> None:
    internet.serve("files.example", answer)
    assert code_of("https://files.example/", tls=ssl.create_default_context()) == "unreachable"


# --- what is told, what is left ------------------------------------------------------------


def test_what_the_client_is_told(internet: Internet, get: Callable[..., Fetched]) -> None:
    internet.serve("files.example", reply("200 OK", b"", "Content-Length: 500000001"))
    with pytest.raises(FetchProblem) as caught:
        get("http://files.example/a", most=500_000_000)
    told = caught.value
    assert told.message == told.french == "le fichier dépasse 500 Mo"
    assert told.english == "the file is larger than 500 MB"
    assert isinstance(told, FileProblem)


@pytest.mark.parametrize(
    ("most", "french", "english"),
    [(2_000_000_000, "2 Go", "2 GB"), (1_500_000, "1.5 Mo", "1.5 MB"), (20_000, "20 ko", "20 kB"),
     (20, "20 octets", "20 bytes")],
)  # fmt: skip
def test_sizes_as_people_write_them(most: int, french: str, english: str) -> None:
    told = FetchProblem("too_large", most=most)
    assert told.french.replace(",", ".").endswith(french)
    assert told.english.endswith(english)


@pytest.mark.parametrize(
    ("code", "retriable"),
    [("address", False), ("expired", False), ("gone", False), ("page", False), ("empty", False),
     ("too_large", False), ("certificate", False), ("slow", True), ("unreachable", True),
     ("storage", True), ("lfs-pointer", False)],
)  # fmt: skip
def test_what_may_be_tried_again(code: str, retriable: bool) -> None:
    assert FetchProblem(code).retriable is retriable
    assert FetchProblem(code, "en").message == FetchProblem(code).english


def test_a_disk_that_cannot_take_it_is_ours_to_mend(
    internet: Internet, get: Callable[..., Fetched], tmp_path: Path
) -> None:
    internet.serve("files.example", reply("200 OK", JPEG))
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(FetchProblem) as caught:
        get("http://files.example/a")
    assert caught.value.code == "storage"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_download_lasts_as_long_as_its_block(
    internet: Internet, tmp_path: Path, language: str
) -> None:
    """Against the real network code: the loopback is opened as a studio would open a host."""
    internet.serve("files.example", reply("200 OK", JPEG))
    port = internet._servers["93.184.215.1"].getsockname()[1]
    url, spool = f"http://127.0.0.1:{port}/a", tmp_path / "spool"
    with downloaded(url, spool, MOST, ["127.0.0.1"]) as path:
        assert path.read_bytes() == JPEG
    assert list(spool.iterdir()) == []
    with pytest.raises(ZeroDivisionError), downloaded(url, spool, MOST, ["127.0.0.1"]):
        raise ZeroDivisionError
    assert list(spool.iterdir()) == []
    with pytest.raises(FetchProblem) as caught, downloaded(url, spool, MOST, (), language):  # type: ignore[arg-type]
        pass
    told = caught.value
    assert told.message == (told.french if language == "fr" else told.english)


def test_leftovers_of_killed_runs_are_removed_after_a_day(tmp_path: Path) -> None:
    import os

    old, new = tmp_path / "download-old", tmp_path / "download-new"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    with pytest.raises(FetchProblem), downloaded("file:///x", tmp_path, MOST):
        pass
    assert (old.exists(), new.exists()) == (False, True)
