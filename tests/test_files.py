"""Clients' links and files are hostile until proven otherwise."""

import socket
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport import directives
from figsupport.core.intake import Limits
from figsupport.core.model import FileRef
from figsupport.errors import FileProblem
from figsupport.files.bring import bringer
from figsupport.files.fetch import downloaded
from figsupport.files.guard import IPAddress, is_allowed, is_public, place_of
from figsupport.files.recognise import recogniser
from figsupport.files.sniff import disagrees, recognise, sniff

GRID = directives.load(directives.default_folder()).grid

# --- addresses -----------------------------------------------------------------------------

CLOSED = """
127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 0.0.0.0
100.64.0.1 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1
255.255.255.255 168.63.129.16 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 fec0::1 ff02::1
2001:db8::1 2001::1 2002:7f00:1:: 2002:808:808:: 3fff::1 2620:4f:8000::1 100::1 ::ffff:127.0.0.1
::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
2a01:e0a::5efe:7f00:1 2a01:e0a::200:5efe:a00:1 5f00::1
""".split()


@pytest.mark.parametrize("text", CLOSED)
def test_an_address_inside_is_closed(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2a00:1450:4007:80e::200e", "::ffff:8.8.8.8",
                                  "64:ff9b::808:808"])  # fmt: skip
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.sampled_from(["10.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "2002::/16",
                        "127.0.0.0/8", "3fff::/20", "::ffff:10.0.0.0/104"]), st.data())  # fmt: skip
def test_no_address_of_a_closed_network_is_public(network: str, data: st.DataObject) -> None:
    inside = ip_network(network)
    number = data.draw(st.integers(0, inside.num_addresses - 1))
    assert not is_public(inside[number])


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com/", "data:text/plain,x",
        "javascript:alert(1)", "http://", "http:///a", "//example.com/a", "example.com/a", "",
        "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/",
        "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
        "http://0x7f.1/", "http://1.2.3/", "http://exa mple.com/", "http://example.com\\@evil/",
        "http://example.com/\r\nHost: x", "http://exam\x00ple.com/", "http://[::1/", "http://[x]/",
        "http://example.com:99999/", "http://example.com:port/", "http://-example.com/",
        "http://" + "a" * 5_000, "http://\ud83d/", "https://exa_mple\u202e.com/",
    ],
)  # fmt: skip
def test_a_link_we_do_not_follow(url: str) -> None:
    assert place_of(url) is None


def test_a_link_we_may_follow() -> None:
    assert place_of("https://files.example.com/a?x=1") == ("https", "files.example.com", 443)
    assert place_of("http://Example.com.:80/") == ("http", "example.com", 80)
    assert place_of("http://fïles.example/") == ("http", "xn--fles-5pa.example", 80)
    assert place_of("http://[2a00::1]/") == ("http", "2a00::1", 80)


def test_only_standard_ports_and_all_addresses_public() -> None:
    place = place_of("http://example.com:8080/")
    assert place is not None
    public, private = ip_address("8.8.8.8"), ip_address("10.0.0.1")
    assert not is_allowed(place, [public], ())
    assert is_allowed(place, [private], ["example.com"])
    assert is_allowed(place, [private], ["10.0.0.0/8"])
    standard = place._replace(port=80)
    assert is_allowed(standard, [public], ())
    assert not is_allowed(standard, [public, private], ())
    assert not is_allowed(standard, [public, private], ["10.0.0.0/8"])
    assert not is_allowed(standard, [], ["not a network"])


# --- downloads -----------------------------------------------------------------------------

Answer = Callable[[socket.socket], None]


@pytest.fixture
def serve(socket_enabled: None) -> Iterator[Callable[[Answer], str]]:
    """Starts servers on the loopback that answer each connection by a function."""
    listening: list[socket.socket] = []

    def start(answer: Answer) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(2)
                    try:
                        connection.recv(65_536)
                        answer(connection)
                        connection.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/file.jpg"

    yield start
    for server in listening:
        server.close()


def reply(status: str = "200 OK", body: bytes = b"", **headers: str) -> Answer:
    lines = [f"HTTP/1.1 {status}", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    raw = "\r\n".join([*lines, "", ""]).encode() + body
    return lambda connection: connection.sendall(raw)


def slowly(raw: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        for byte in raw:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return answer


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(10_000):
        connection.sendall(b"x" * 10_000)


def fetched(url: str, folder: Path, most: int = 100_000, **options: object) -> bytes:
    given_: dict[str, Any] = {"allow": ("127.0.0.1",), "deadline": 0.5, **options}
    with downloaded(url, folder, most, **given_) as path:
        assert path.stat().st_mode & 0o777 == 0o600
        return path.read_bytes()


def code_of(url: str, folder: Path, **options: Any) -> str:
    with pytest.raises(FileProblem) as caught:
        fetched(url, folder, **options)
    assert not folder.exists() or not list(folder.iterdir())
    assert "?" not in caught.value.message
    return caught.value.code


def test_a_file_is_downloaded_whole(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    body = b"\xff\xd8\xff" + b"x" * 50_000
    url = serve(reply(body=body, Content_Length=str(len(body))))
    assert fetched(url, tmp_path / "spool") == body
    assert list((tmp_path / "spool").iterdir()) == []
    assert fetched(serve(reply(body=body)), tmp_path / "spool") == body


CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply("401 Unauthorized"), "expired"),
        (reply("403 Forbidden", b"<Error>expired</Error>"), "expired"),
        (reply("410 Gone"), "expired"),
        (reply("404 Not Found"), "gone"),
        (reply("500 Oops"), "unreachable"),
        (reply("204 No Content"), "unreachable"),
        (reply("206 Partial Content", b"x"), "unreachable"),
        (reply(body=b""), "empty"),
        (reply(body=b"<!DOCTYPE html><html>Link expired</html>"), "page"),
        (reply(body=b"\n  <html>Sign in</html>"), "page"),
        (reply(body=b"x" * 200_000), "too_large"),
        (reply(body=b"x", Content_Length="999999999"), "too_large"),
        (reply(body=b"short", Content_Length="50"), "unreachable"),
        (reply(body=b"\x1f\x8bxxx", Content_Encoding="gzip"), "unreachable"),
        (reply(body=b"x", Content_Encoding="br"), "unreachable"),
        (reply(body=b"zz\r\nnonsense", Transfer_Encoding="chunked"), "unreachable"),
        (reply("302 Found"), "unreachable"),
        (reply("302 Found", Location="file:///etc/passwd"), "address"),
        (reply("302 Found", Location="http://169.254.169.254/latest/meta-data"), "address"),
        (reply("301 Moved", Location="http://user:pw@example.com/"), "address"),
        (reply("307 Moved", Location="http://[::1]:22/"), "address"),
        (reply("308 Moved", Location="gopher://x/"), "address"),
        (reply("302 Found", Location="http://2130706433/"), "address"),
        (reply("302 Found", Location="/file.jpg"), "unreachable"),
        (reply("999 Weird"), "unreachable"),
        (lambda c: c.sendall(b"not http at all\r\n\r\n"), "unreachable"),
        (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 300_000), "unreachable"),
        (lambda c: c.sendall(b""), "unreachable"),
        (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc"), "unreachable"),
        (lambda _: time.sleep(1.0), "slow"),
        (slowly(b"HTTP/1.1 200 OK\r\nX-Slow: header\r\n\r\n" + b"x" * 50), "slow"),
        (slowly(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200), "slow"),
        (endless, "too_large"),
    ],
)
def test_a_hostile_server_gets_nowhere(
    serve: Callable[[Answer], str], tmp_path: Path, answer: Answer, code: str
) -> None:
    began = time.monotonic()
    assert code_of(serve(answer), tmp_path / "spool") == code
    assert time.monotonic() - began < 3


def test_chunks_are_put_together(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    url = serve(reply(body=CHUNKED, Transfer_Encoding="chunked"))
    assert fetched(url, tmp_path / "spool") == b"hello"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/", "http://localhost/", "http://127.0.0.1:80/", "http://[::1]/",
        "http://10.0.0.1/", "http://internal.example/", "https://mixed.example/",
        "http://public.example:8080/", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd",
        "http://user@public.example/", "http://2130706433/", "http://127.1/",
    ],
)  # fmt: skip
def test_no_inner_address_is_dialled(tmp_path: Path, url: str) -> None:
    """Sockets are disabled here: a dial would fail the test."""
    answers = {
        "localhost": ["127.0.0.1"],
        "internal.example": ["192.168.1.1"],
        "mixed.example": ["8.8.8.8", "10.0.0.1"],
        "public.example": ["8.8.8.8"],
    }

    def resolver(host: str, port: int) -> Sequence[IPAddress]:
        return [ip_address(text) for text in answers[host]]

    assert code_of(url, tmp_path, allow=(), resolver=resolver) == "address"


def test_a_name_is_resolved_once(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    """A second answer, private this time, is never asked for."""
    asked = []

    def rebinding(host: str, port: int) -> Sequence[IPAddress]:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    url = serve(reply(body=b"content")).replace("127.0.0.1", "files.example")
    allow = ("files.example",)
    assert fetched(url, tmp_path, allow=allow, resolver=rebinding) == b"content"
    assert asked == ["files.example"]


def test_a_name_that_does_not_exist(tmp_path: Path) -> None:
    def unknown(host: str, port: int) -> Sequence[IPAddress]:
        raise socket.gaierror

    assert (
        code_of("https://nowhere.example/a?secret=1", tmp_path, resolver=unknown) == "unreachable"
    )


def test_redirects_end(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    last = serve(reply(body=b"content"))
    one = serve(reply("302 Found", Location=last))
    two = serve(reply("302 Found", Location=one))
    three = serve(reply("302 Found", Location=two))
    four = serve(reply("302 Found", Location=three))
    assert fetched(three, tmp_path) == b"content"
    assert code_of(four, tmp_path / "spool") == "unreachable"


def test_leftovers_are_removed_after_a_day(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    import os

    old, new = tmp_path / "download-old", tmp_path / "download-new"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    fetched(serve(reply(body=b"content")), tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


# --- bringing ------------------------------------------------------------------------------


def brought(file: FileRef, folder: Path, limits: Limits | None = None, language: str = "fr") -> str:
    bring = bringer(folder / "spool", limits or Limits(), (), language)  # type: ignore[arg-type]
    with pytest.raises(FileProblem) as caught, bring(file):
        pass
    return caught.value.code


def test_what_cannot_be_brought(tmp_path: Path) -> None:
    import os

    small = tmp_path / "a.jpg"
    small.write_bytes(b"x" * 10)
    os.mkfifo(tmp_path / "pipe")
    assert brought(FileRef(name="a"), tmp_path) == "not_sent"
    assert brought(FileRef(name="a", path=str(tmp_path / "gone")), tmp_path) == "gone"
    assert brought(FileRef(name="a", path=str(tmp_path)), tmp_path) == "no_file"
    assert brought(FileRef(name="a", path=str(tmp_path / "pipe")), tmp_path) == "no_file"
    tight = Limits(file_size=5)
    assert brought(FileRef(name="a", path=str(small)), tmp_path, tight) == "too_large"
    total = Limits(request_size=5)
    assert brought(FileRef(name="a", path=str(small)), tmp_path, total) == "too_much"
    assert brought(FileRef(name="a", url="http://127.0.0.1/"), tmp_path) == "address"


# --- what a file is ------------------------------------------------------------------------

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100
STL = b"solid lies about itself".ljust(80) + struct.pack("<I", 2) + b"\0" * 100
OBJ = b"# a cube\nmtllib cube.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\n"
CONTENTS = [
    (JPEG, "jpeg", "photo"),
    (b"\x89PNG\r\n\x1a\n....", "png", "photo"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "webp", "photo"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", "heic", "photo"),
    (b"\0\0\0\x18ftypavif\0\0\0\0", "avif", "photo"),
    (b"\0\0\0\x18ftypisom\0\0\0\0", "mp4", "other"),
    (b"GIF89a", "gif", "photo"),
    (b"II*\0\x08\0\0\0", "tiff", "photo"),
    (b"%PDF-1.7", "pdf", "plan"),
    (b"AC1032", "dwg", "plan"),
    (b"0\nSECTION\n2\nHEADER", "dxf", "plan"),
    (b"<?xml version='1.0'?><svg xmlns='x'/>", "svg", "plan"),
    (b"<?xml version='1.0'?><COLLADA/>", "dae", "model3d"),
    (b"<?xml version='1.0'?><note/>", "xml", "other"),
    (b"<?xml version='1.0'?><html/>", "html", "other"),
    (b"<!DOCTYPE html><p>expired", "html", "other"),
    (b"glTF\x02\0\0\0", "glb", "model3d"),
    (b'{"asset": {"version": "2.0"}}', "gltf", "model3d"),
    (b'{"a": 1}', "txt", "other"),
    (b"PXR-USDC\0", "usdc", "model3d"),
    (b"#usda 1.0", "usda", "model3d"),
    (STL, "stl", "model3d"),
    (b"solid cube\nfacet normal 0 0 1\n", "stl", "model3d"),
    (OBJ, "obj", "model3d"),
    (b"ply\nformat ascii 1.0\n", "ply", "model3d"),
    (b"Kaydara FBX Binary  \0", "fbx", "model3d"),
    (b"MM" + struct.pack("<I", 20) + b"\0" * 14, "3ds", "model3d"),
    (b"ISO-10303-21;", "step", "model3d"),
    (b"BLENDER-v300", "blend", "model3d"),
    (b"MZ\x90\0", "exe", "other"),
    (b"\x7fELF", "exe", "other"),
    (b"version https://git-lfs.github.com/spec/v1", "lfs-pointer", "other"),
    (b"", "empty", "other"),
    (b"Bonjour", "txt", "other"),
    (b"\0\1\2\3", "unknown", "other"),
]


@pytest.mark.parametrize(("content", "name", "kind"), CONTENTS, ids=lambda value: str(value)[:20])
def test_content_decides(content: bytes, name: str, kind: str) -> None:
    found = recognise(content, len(content))
    assert (found.name, found.kind) == (name, kind)


@given(st.binary(max_size=300), st.integers(0, 2**40))
def test_any_bytes_are_something(content: bytes, size: int) -> None:
    assert recognise(content, size).name


def zipped(path: Path, *members: tuple[str, int]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, method in members:
            archive.writestr(zipfile.ZipInfo(name), b"x" * 100, method)
    return path


STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


@pytest.mark.parametrize(
    ("members", "name", "kind"),
    [
        ([("scene.usdc", STORED), ("0/texture.png", STORED)], "usdz", "model3d"),
        ([("scene.usdc", DEFLATED)], "usdz", "other"),
        ([("3D/3dmodel.model", DEFLATED)], "3mf", "model3d"),
        ([("word/document.xml", DEFLATED)], "docx", "other"),
        ([("xl/workbook.xml", DEFLATED)], "xlsx", "other"),
        ([("../../etc/passwd", STORED)], "zip", "other"),
        ([], "zip", "other"),
    ],
)
def test_a_zip_is_looked_into_never_unpacked(
    tmp_path: Path, members: list[tuple[str, int]], name: str, kind: str
) -> None:
    found = sniff(zipped(tmp_path / "a.glb", *members, ("readme", STORED)) if members else
                  zipped(tmp_path / "a.glb", ("readme", STORED)))  # fmt: skip
    assert (found.name, found.kind) == (name, kind)


def test_a_broken_zip_is_a_zip(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + b"x" * 50)
    assert sniff(tmp_path / "a.zip").name == "zip"
    (tmp_path / "a.max").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert sniff(tmp_path / "a.max").kind == "model3d"


@pytest.mark.parametrize(
    ("name", "content", "lies"),
    [
        ("a.jpg", JPEG, False),
        ("a.JPEG", JPEG, False),
        ("a.glb", JPEG, True),
        ("a.stp", STL, True),
        ("a.step", b"ISO-10303-21;", False),
        ("photo", JPEG, False),
        ("a.xyz", b"\0\1\2", False),
    ],
)
def test_a_name_that_lies_is_a_finding(name: str, content: bytes, lies: bool) -> None:
    assert disagrees(name, recognise(content, len(content))) is lies


@pytest.mark.parametrize(
    ("name", "content", "kind", "extension"),
    [
        ("photo.glb", JPEG, "photo", ".jpg"),
        ("piece.sldprt", b"\0\1\2\3", "model3d", ".sldprt"),
        ("piece.été", b"\0\1\2\3", "other", ""),
        ("notes.txt", b"Bonjour", "other", ".txt"),
    ],
)
def test_what_a_client_sent(
    tmp_path: Path, name: str, content: bytes, kind: str, extension: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    fact, ending = recogniser(GRID)(name, path)
    assert (fact.kind, ending) == (kind, extension)
    assert fact.facts.get("disagrees", False) is (name == "photo.glb")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.glb", b"", "empty"),
        ("a.jpg", b"<html>", "html"),
        ("a.glb", b"version https://git-lfs", "lfs-pointer"),
        ("a.jpg", b"MZ\x90", "exe"),
        ("a.glb", b"\0\1\2\3", "broken"),
    ],
)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_must_be_sent_again(
    tmp_path: Path, name: str, content: bytes, code: str, language: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(FileProblem) as caught:
        recogniser(GRID, language)(name, path)  # type: ignore[arg-type]
    assert caught.value.code == code
