"""A guarded download: a client's link is hostile until proven otherwise.

The name is resolved once per hop, every answer must be public, and the literal address is
dialled; TLS is verified against the name. One deadline covers connecting, headers and body.
"""

import os
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore
import httpx

from figsupport.core.model import Language
from figsupport.errors import FileProblem
from figsupport.files.guard import IPAddress, is_allowed, place_of
from figsupport.private import private_folder

Resolve = Callable[[str, int], Sequence[IPAddress]]

DEADLINE = 120.0
_REDIRECTS = 3
_STALE = 86_400.0
_HEAD = 512
_SENTENCES = {
    "address": (
        "le lien ne mène pas à une adresse publique",
        "the link does not lead to a public address",
    ),
    "expired": ("le lien a expiré ou demande une connexion", "the link expired or asks to log in"),
    "gone": ("le lien ne mène plus à un fichier", "the link no longer leads to a file"),
    "page": (
        "le lien mène à une page web et non à un fichier",
        "the link leads to a web page, not to a file",
    ),
    "empty": ("le fichier est vide", "the file is empty"),
    "too_large": ("le fichier est trop volumineux", "the file is too large"),
    "slow": ("le téléchargement a pris trop de temps", "the download took too long"),
    "unreachable": (
        "le serveur du lien n'a pas répondu correctement",
        "the server of the link did not answer properly",
    ),
}


def resolve(host: str, port: int) -> Sequence[IPAddress]:
    """Return every address of a host, as the system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(address[4][0]) for address in found]


@contextmanager
def downloaded(
    url: str,
    folder: Path,
    most: int,
    allow: Sequence[str] = (),
    language: Language = "fr",
    *,
    deadline: float = DEADLINE,
    resolver: Resolve = resolve,
) -> Iterator[Path]:
    """Download a link to a private file of at most `most` bytes for the time of the block.

    Raises FileProblem, told in the client's language; nothing is left behind.
    """
    _sweep(folder)
    path = None
    try:
        path = _Download(most, allow, deadline, resolver).fetch(url, folder)
        yield path
    except _Failed as failed:
        sentence = _SENTENCES[failed.code][language == "en"]
        raise FileProblem(failed.code, sentence) from None
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


class _Failed(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Download:
    """One download, with its deadline."""

    def __init__(self, most: int, allow: Sequence[str], deadline: float, resolver: Resolve) -> None:
        self._most, self._allow, self._resolver = most, allow, resolver
        self._until = time.monotonic() + deadline

    def fetch(self, url: str, folder: Path) -> Path:
        """Follow a link, at most three redirects, to a file in the folder."""
        for _ in range(_REDIRECTS + 1):
            pool = httpcore.ConnectionPool(
                network_backend=_Backend(self), max_connections=1, http2=False, retries=0
            )
            try:
                with (
                    pool,
                    pool.stream("GET", self._checked(url), headers=self._headers()) as answer,
                ):
                    if answer.status not in (301, 302, 303, 307, 308):
                        self._check(answer)
                        return self._store(answer.iter_stream(), folder)
                    url = self._redirected(url, answer)
            except _Failed:
                raise
            except httpcore.TimeoutException:
                raise _Failed("slow") from None
            except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError):
                raise _Failed("slow" if self._left() <= 0 else "unreachable") from None
        raise _Failed("unreachable")

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"User-Agent", b"figsupport"), (b"Accept", b"*/*"),
                (b"Accept-Encoding", b"identity")]  # fmt: skip

    def _checked(self, url: str) -> httpcore.URL:
        place = place_of(url)
        if place is None:
            raise _Failed("address")
        parsed = httpx.URL(url)
        return httpcore.URL(
            scheme=place.scheme.encode(),
            host=place.host.encode(),
            port=None if place.port in (80, 443) and parsed.port is None else place.port,
            target=parsed.raw_path,
        )

    def _redirected(self, url: str, answer: httpcore.Response) -> str:
        target = _header(answer, b"location")
        if not target:
            raise _Failed("unreachable")
        try:
            return str(httpx.URL(url).join(target))
        except (httpx.InvalidURL, ValueError):
            raise _Failed("address") from None

    def _check(self, answer: httpcore.Response) -> None:
        if answer.status in (401, 403, 410):
            raise _Failed("expired")
        if answer.status == 404:
            raise _Failed("gone")
        if answer.status != 200:
            raise _Failed("unreachable")
        if _header(answer, b"content-encoding").lower() not in ("", "identity"):
            raise _Failed("unreachable")  # we asked for none: a bomb or a broken server
        length = _header(answer, b"content-length")
        if length.isdecimal() and int(length[:20]) > self._most:
            raise _Failed("too_large")

    def _store(self, blocks: Iterable[bytes], folder: Path) -> Path:
        """Write the body to a private file; its first bytes are looked at before."""
        flow = iter(blocks)
        head = b""
        while len(head) < _HEAD and (block := next(flow, b"")):
            head += block
        if not head:
            raise _Failed("empty")
        if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html", b"<head")):
            raise _Failed("page")
        descriptor, name = tempfile.mkstemp(prefix="download-", dir=private_folder(folder))
        try:
            with os.fdopen(descriptor, "wb") as file:
                size = 0
                for block in _chain(head, flow):
                    size += len(block)
                    if size > self._most:
                        raise _Failed("too_large")
                    if self._left() <= 0:
                        raise _Failed("slow")
                    file.write(block)
        except BaseException:
            Path(name).unlink()
            raise
        return Path(name)

    def _left(self) -> float:
        return self._until - time.monotonic()

    def dial(self, host: str, port: int) -> str:
        """Return the literal address to dial for a host that may be dialled."""
        try:
            addresses = [ip_address(host)]
        except ValueError:
            try:
                addresses = list(self._resolver(host, port))
            except OSError:
                raise _Failed("unreachable") from None
        scheme = "https" if port == 443 else "http"
        place = place_of(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/")
        if place is None or not is_allowed(place, addresses, self._allow):
            raise _Failed("address")
        return str(addresses[0])

    def left(self) -> float:
        """Return the seconds left. Raises httpcore.ReadTimeout when there are none."""
        if (left := self._left()) <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left


class _Backend(httpcore.NetworkBackend):
    """Dials checked literal addresses, within the download's deadline."""

    def __init__(self, download: _Download) -> None:
        self._download = download

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection to the address that was checked."""
        literal = self._download.dial(host, port)
        stream = httpcore.SyncBackend().connect_tcp(literal, port, self._download.left())
        return _Stream(stream, self._download)


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the download's deadline."""

    def __init__(self, inner: httpcore.NetworkStream, download: _Download) -> None:
        self._inner, self._download = inner, download

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is. Raises ReadTimeout when the deadline has passed."""
        return self._inner.read(max_bytes, self._download.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._inner.write(buffer, self._download.left())

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Begin TLS; the certificate is checked against the host's name."""
        inner = self._inner.start_tls(ssl_context, server_hostname, self._download.left())
        return _Stream(inner, self._download)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        return self._inner.get_extra_info(info)


def _header(answer: httpcore.Response, name: bytes) -> str:
    values = [value for key, value in answer.headers if key.lower() == name]
    return values[0].decode("latin-1").strip() if values else ""


def _chain(head: bytes, flow: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from flow


def _sweep(folder: Path) -> None:
    """Remove what killed runs left behind more than a day ago."""
    if folder.is_dir():
        old = time.time() - _STALE
        for path in folder.glob("download-*"):
            if path.stat().st_mtime < old:
                path.unlink(missing_ok=True)
