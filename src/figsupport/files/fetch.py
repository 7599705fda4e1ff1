"""A guarded download: a client's link is hostile until proven otherwise.

The name is resolved once per hop, every answer must be public, and the literal address is
dialled; TLS is verified against the name. One deadline covers resolving, connecting, headers
and body. No redirect is followed unseen; no cookie, credential or referrer is ever sent.
"""

import hashlib
import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from urllib.parse import urljoin

import httpcore

from figsupport.core.model import Language
from figsupport.core.words import size_in_words
from figsupport.errors import FileProblem
from figsupport.files.guard import IPAddress, Place, is_allowed, place_of, target_of
from figsupport.files.sniff import EMPTY, HEAD, HTML, POINTER, recognise
from figsupport.private import private_folder

#: A host name and a port → every address of the host. Raises OSError.
Resolve = Callable[[str, int], Sequence[IPAddress]]
#: A literal address, a port and seconds → a connection. Raises httpcore's network errors.
Dial = Callable[[str, int, float], httpcore.NetworkStream]

DEADLINE = 120.0
_CONNECT = 10.0
_ADDRESSES = 4
_REDIRECTS = 3
_STALE = 86_400.0


class FetchProblem(FileProblem):
    """Why a link gave no file, for the client: a `french` and an `english` sentence.

    `retriable`: the same link may give the file later. `message` is the sentence in the
    language asked for. No sentence holds any part of the link.
    """

    def __init__(self, code: str, language: Language = "fr", *, most: int = 0) -> None:
        french, english, self.retriable = _REASONS[code]
        self.french = french.format(size=size_in_words(most, "fr"))
        self.english = english.format(size=size_in_words(most, "en"))
        self.most = most
        super().__init__(code, self.english if language == "en" else self.french)


#: code → what the client is told in French and in English, and whether to try again
_REASONS = {
    "address": (
        "le lien ne mène pas à une adresse publique du web",
        "the link does not lead to a public web address",
        False,
    ),
    "expired": (
        "le lien a expiré ou demande une connexion",
        "the link expired or asks to log in",
        False,
    ),
    "gone": ("le lien ne mène plus à un fichier", "the link no longer leads to a file", False),
    "page": (
        "le lien mène à une page web et non à un fichier (il a peut-être expiré)",
        "the link leads to a web page, not to a file (it may have expired)",
        False,
    ),
    "lfs-pointer": (
        "le lien donne un renvoi (git-lfs) et non le fichier",
        "the link gives a pointer (git-lfs), not the file",
        False,
    ),
    "empty": ("le fichier est vide", "the file is empty", False),
    "too_large": ("le fichier dépasse {size}", "the file is larger than {size}", False),
    "certificate": (
        "le certificat de sécurité du site n'est pas valable",
        "the security certificate of the site is not valid",
        False,
    ),
    "slow": (
        "le téléchargement a pris trop de temps",
        "the download took too long",
        True,
    ),
    "unreachable": (
        "le serveur du lien n'a pas répondu correctement",
        "the server of the link did not answer properly",
        True,
    ),
    "storage": (
        "le fichier n'a pas pu être enregistré de notre côté",
        "the file could not be saved on our side",
        True,
    ),
}
_STATUSES = {401: "expired", 403: "expired", 404: "gone", 410: "expired"}
_MOVED = (301, 302, 303, 307, 308)
_REFUSED = {EMPTY: "empty", HTML: "page", POINTER: "lfs-pointer"}


class Fetched(NamedTuple):
    """A downloaded file: private, and whoever asked for it removes it.

    `head` is its first 64 KiB at most; `content_type` is what the server says, no proof.
    """

    path: Path
    size: int
    sha256: str
    content_type: str
    head: bytes


def resolve(host: str, port: int) -> Sequence[IPAddress]:
    """Return every address of a host, as the system resolves it. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(address[4][0]) for address in found]


def dial(literal: str, port: int, seconds: float) -> httpcore.NetworkStream:
    """Open a connection to a literal address."""
    return httpcore.SyncBackend().connect_tcp(literal, port, seconds)


class Network(NamedTuple):
    """How the world is reached; `tls` None trusts the usual authorities."""

    resolve: Resolve = resolve
    dial: Dial = dial
    tls: ssl.SSLContext | None = None
    now: Callable[[], float] = time.monotonic


def fetch(
    url: str,
    folder: Path,
    most: int,
    allow: Sequence[str] = (),
    *,
    deadline: float = DEADLINE,
    network: Network | None = None,
) -> Fetched:
    """Download a link to a private file of at most `most` bytes, within `deadline` seconds.

    `allow` names hosts and networks exempt from the rules on addresses and ports. Raises
    FetchProblem and nothing else; a file that failed is not left behind.
    """
    route = _Route(allow, deadline, network or Network())
    try:
        for _ in range(_REDIRECTS + 1):
            with _answer(url, route) as answer:
                if answer.status not in _MOVED:
                    _check(answer, most)
                    return _store(answer, folder, most)
                url = _next(url, answer)
    except (httpcore.ReadTimeout, httpcore.WriteTimeout):
        raise FetchProblem("slow") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        raise FetchProblem("unreachable") from None
    except OSError:  # what the network raises was told apart above: our own disk
        raise FetchProblem("storage") from None
    raise FetchProblem("unreachable")


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

    Raises FetchProblem, told in the client's language; nothing is left behind.
    """
    _sweep(folder)
    try:
        network = Network(resolve=resolver)
        fetched = fetch(url, folder, most, allow, deadline=deadline, network=network)
    except FetchProblem as problem:
        raise FetchProblem(problem.code, language, most=problem.most) from None
    try:
        yield fetched.path
    finally:
        fetched.path.unlink(missing_ok=True)


class _Route(httpcore.NetworkBackend):
    """The way of one download: dials checked literal addresses until its deadline."""

    def __init__(self, allow: Sequence[str], deadline: float, network: Network) -> None:
        self.network = network
        self._allow = allow
        self._until = network.now() + deadline

    def left(self) -> float:
        """Return the seconds left. Raises httpcore.ReadTimeout when there are none."""
        if (left := self._until - self.network.now()) <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left

    def connect_tcp(
        self, host: str, port: int, *_args: object, **_options: object
    ) -> httpcore.NetworkStream:
        """Resolve the host once, check every answer, and dial them in turn."""
        addresses = self._resolved(host, port)
        if not is_allowed(Place("tcp", host, port), addresses, self._allow):
            raise FetchProblem("address")
        *others, last = addresses[:_ADDRESSES]
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._dial(address, port)
        return self._dial(last, port)

    def _dial(self, address: IPAddress, port: int) -> httpcore.NetworkStream:
        seconds = min(self.left(), _CONNECT)
        return _Stream(self.network.dial(str(address), port, seconds), self.left)

    def _resolved(self, host: str, port: int) -> Sequence[IPAddress]:
        """Return the addresses of a host; the system's resolver knows no deadline, we do."""
        with suppress(ValueError):
            return [ip_address(host)]
        answers: SimpleQueue[Sequence[IPAddress] | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self.network.resolve(host, port))
            except Exception as error:
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=self.left())
        except Empty:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        if isinstance(answer, OSError | ValueError):
            raise httpcore.ConnectError("the name could not be resolved")
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the download's deadline."""

    def __init__(self, inner: httpcore.NetworkStream, left: Callable[[], float]) -> None:
        self._inner, self._left = inner, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is. Raises ReadTimeout when the deadline has passed."""
        return self._inner.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._inner.write(buffer, self._left())

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
        try:
            inner = self._inner.start_tls(ssl_context, server_hostname, self._left())
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise FetchProblem("certificate") from None
            raise
        return _Stream(inner, self._left)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        return self._inner.get_extra_info(info)


@contextmanager
def _answer(url: str, route: _Route) -> Iterator[httpcore.Response]:
    """Ask one server for a link, on a connection of its own."""
    place = place_of(url)
    if place is None:
        raise FetchProblem("address")
    host = f"[{place.host}]" if ":" in place.host else place.host
    standard = place.port == {"http": 80, "https": 443}[place.scheme]
    headers: dict[bytes | str, bytes | str] = {
        "Host": host if standard else f"{host}:{place.port}",
        "User-Agent": "figsupport",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    target = httpcore.URL(
        scheme=place.scheme, host=place.host, port=place.port, target=target_of(url)
    )
    with (
        httpcore.ConnectionPool(
            network_backend=route, ssl_context=route.network.tls, http2=False
        ) as pool,
        pool.stream("GET", target, headers=list(headers.items())) as answer,
    ):
        yield answer


def _next(url: str, answer: httpcore.Response) -> str:
    """Return where a redirect leads; it is checked like the first link."""
    raw = next((value for name, value in answer.headers if name.lower() == b"location"), b"")
    if not raw:
        raise FetchProblem("unreachable")
    try:
        return urljoin(url, raw.decode("utf-8").strip().replace(" ", "%20"))
    except ValueError:  # brackets that do not close, bytes that are no text
        raise FetchProblem("address") from None


def _check(answer: httpcore.Response, most: int) -> None:
    if answer.status != 200:
        raise FetchProblem(_STATUSES.get(answer.status, "unreachable"))
    for name, value in answer.headers:
        match name.lower():
            case b"content-encoding" if value.strip().lower() not in (b"", b"identity"):
                raise FetchProblem("unreachable")  # we asked for none: a bomb or a broken server
            case b"content-length" if int(value) > most:  # h11 lets only digits through
                raise FetchProblem("too_large", most=most)


def _store(answer: httpcore.Response, folder: Path, most: int) -> Fetched:
    """Write the body to a private file, once its first bytes have been looked at."""
    blocks = answer.iter_stream()
    head = b""
    for block in blocks:
        head += block
        if len(head) >= HEAD:
            break
    if reason := _REFUSED.get(recognise(head[:HEAD], len(head))):
        raise FetchProblem(reason)
    descriptor, name = tempfile.mkstemp(prefix="download-", dir=private_folder(folder))
    path = Path(name)
    size, digest = 0, hashlib.sha256()
    try:
        with os.fdopen(descriptor, "wb") as file:
            for block in _joined(head, blocks):
                size += len(block)
                if size > most:
                    raise FetchProblem("too_large", most=most)
                digest.update(block)
                file.write(block)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Fetched(path, size, digest.hexdigest(), _content_type(answer), head[:HEAD])


def _joined(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from blocks


def _content_type(answer: httpcore.Response) -> str:
    """Return the media type the server says, without parameters; empty when it is none."""
    raw = next((value for name, value in answer.headers if name.lower() == b"content-type"), b"")
    text = raw.decode("latin-1").partition(";")[0].strip().lower()
    plain = text.isascii() and text.isprintable() and len(text) <= 100
    return text if plain else ""


def _sweep(folder: Path) -> None:
    """Remove what killed runs left behind more than a day ago."""
    old = time.time() - _STALE
    for path in folder.glob("download-*"):
        with suppress(OSError):  # another process sweeps as well
            if path.stat().st_mtime < old:
                path.unlink()
