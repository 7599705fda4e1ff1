"""The live store keeps the contract of its port, on a real S3 server, and R2's own rules."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from figsupport.adapters.r2 import Bucket, R2Store, Slice, part_size
from figsupport.core.events import CallDone, Event
from figsupport.errors import Credentials, FigsupportError, Misconfigured, NotFound, Unavailable
from figsupport.ports import Store

from .contracts import StoreContract
from .standins.s3 import ACCESS, BUCKET, S3, SECRET

PUBLIC = "https://files.figurative.example"
MEBIBYTE = 1024 * 1024
KEY = "folder/01-model.glb"


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    started = S3()
    yield started
    started.close()


@pytest.fixture
def bucket(server: S3, socket_enabled: None) -> Iterator[Bucket]:
    server.wait()
    yield Bucket(BUCKET, server.url, PUBLIC, ACCESS, SECRET)
    client: Any = server.client()
    for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads") or []:
        client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    for one in client.list_objects_v2(Bucket=BUCKET).get("Contents") or []:
        client.delete_object(Bucket=BUCKET, Key=one["Key"])
    client.close()


@pytest.fixture
def raw(server: S3, bucket: Bucket) -> Iterator[Any]:
    """The same bucket, past our adapter."""
    client: Any = server.client()
    yield client
    client.close()


@pytest.fixture
def store(bucket: Bucket) -> Iterator[R2Store]:
    store = R2Store(bucket)
    yield store
    store.close()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "model.glb"
    path.write_bytes(os.urandom(20 * MEBIBYTE + 7))
    return path


class TestR2Store(StoreContract):
    @pytest.fixture
    def store(self, bucket: Bucket, server: S3) -> Iterator[Store]:
        self.server = server
        store = R2Store(bucket)
        yield store
        store.close()

    def content(self, store: Store, url: str) -> bytes:
        client: Any = self.server.client()
        key = unquote(urlsplit(url).path).lstrip("/")
        content: bytes = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        client.close()
        return content


def test_a_link_is_public_and_named(store: R2Store, raw: Any, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"glTF")
    stored = store.put("a b/01-été~.glb", path, "fauteuil d'été.glb")
    assert stored.url == f"{PUBLIC}/a%20b/01-%C3%A9t%C3%A9~.glb"
    there = raw.head_object(Bucket=BUCKET, Key="a b/01-été~.glb")
    assert there["ContentType"] == "model/gltf-binary"
    assert there["ContentDisposition"] == (
        "attachment; filename*=UTF-8''fauteuil%20d%27%C3%A9t%C3%A9.glb"
    )


def test_a_large_file_goes_in_equal_parts(
    store: R2Store, raw: Any, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[int] = []
    call = store._call

    def watched(operation: str, **arguments: Any) -> Any:
        if operation == "upload_part":
            parts.append(len(arguments["Body"]))
        return call(operation, **arguments)

    monkeypatch.setattr(store, "_call", watched)
    told: list[tuple[str, int, int]] = []
    store._moved = lambda *step: told.append(step)
    stored = store.put(KEY, large, "modèle.glb")
    size = 20 * MEBIBYTE + 7
    assert sorted(parts) == [4 * MEBIBYTE + 7, 8 * MEBIBYTE, 8 * MEBIBYTE]
    assert told[-1] == ("modèle.glb", size, size)
    assert stored.size == size
    assert raw.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == large.read_bytes()
    assert raw.head_object(Bucket=BUCKET, Key=KEY)["Metadata"] == {"sha256": stored.sha256}


def test_what_is_stored_is_not_sent_again(store: R2Store, large: Path) -> None:
    first = store.put(KEY, large, "model.glb")
    store.calls = 0
    assert store.put(KEY, large, "model.glb") == first
    assert store.calls == 1


def test_one_s_own_success_is_no_conflict(
    store: R2Store, raw: Any, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the completion was lost, so it was tried again: 412 for our own object."""
    first = store.put(KEY, large, "model.glb")
    there, looks = store._there, [0]

    def not_at_first(key: str) -> Any:
        looks[0] += 1
        return None if looks[0] == 1 else there(key)

    monkeypatch.setattr(store, "_there", not_at_first)
    assert store.put(KEY, large, "model.glb") == first
    assert not raw.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_a_failed_upload_leaves_nothing_behind(
    store: R2Store, raw: Any, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = store._call

    def fails(operation: str, **arguments: Any) -> Any:
        if operation == "upload_part" and arguments["PartNumber"] == 2:
            raise Unavailable("R2 answered 503")
        return call(operation, **arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store, "_call", fails)
        with pytest.raises(Unavailable):
            store.put(KEY, large, "model.glb")
    assert not raw.list_multipart_uploads(Bucket=BUCKET).get("Uploads")
    store.put(KEY, large, "model.glb")
    assert raw.head_object(Bucket=BUCKET, Key=KEY)["ContentLength"] == large.stat().st_size


def test_what_a_killed_run_left_is_taken_back(store: R2Store, raw: Any, large: Path) -> None:
    raw.create_multipart_upload(Bucket=BUCKET, Key=KEY)
    raw.create_multipart_upload(Bucket=BUCKET, Key=f"{KEY}.other")
    store.put(KEY, large, "model.glb")
    (left,) = raw.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert left["Key"] == f"{KEY}.other"


def test_setup_proves_a_write_and_takes_it_back(store: R2Store, raw: Any) -> None:
    assert store.setup(dry_run=True) == store.setup(dry_run=False)
    assert "Contents" not in raw.list_objects_v2(Bucket=BUCKET)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"name": "other"}, "R2_BUCKET_NAME"),
        ({"secret": "wrong-secret"}, "R2_SECRET_ACCESS_KEY"),
        ({"key_id": "nobody"}, "R2_ACCESS_KEY_ID"),
        ({"endpoint": "http://127.0.0.1:9"}, "R2_ENDPOINT_URL"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_a_newcomer_sets_wrong_is_named(
    bucket: Bucket, tmp_path: Path, wrong: dict[str, str], named: str
) -> None:
    store = R2Store(bucket._replace(**wrong), attempts=1)
    health = store.check()
    assert not health.ok
    assert named in health.detail
    with pytest.raises(FigsupportError) as caught:
        path = tmp_path / "photo.jpg"
        path.write_bytes(b"x")
        store.put("k.jpg", path, "photo.jpg")
    assert named in caught.value.message + caught.value.hint
    assert "wrong-secret" not in caught.value.message + caught.value.hint
    store.close()


def test_calls_are_told_without_names(bucket: Bucket, large: Path) -> None:
    heard: list[Event] = []
    store = R2Store(bucket, hear=heard.append)
    with pytest.raises(NotFound):
        store.get("nothing-there.jpg")
    store.put("told/large.glb", large, "jean.glb")
    store.close()
    calls = [event for event in heard if isinstance(event, CallDone)]
    assert [(call.call, call.status) for call in calls][:2] == [
        ("get_object", 404),
        ("head_object", 404),
    ]
    assert {(call.provider, call.status) for call in calls[2:]} == {("r2", 200)}
    assert {call.call for call in calls[2:]} == {
        "create_multipart_upload", "upload_part", "complete_multipart_upload",
        "list_multipart_uploads",
    }  # fmt: skip
    gone = R2Store(bucket._replace(endpoint="http://127.0.0.1:9"), attempts=1, hear=heard.append)
    assert not gone.check().ok
    assert heard[-1][:3] == ("r2", "list_objects_v2", None)


@pytest.mark.parametrize("name", ["R2_ENDPOINT_URL", "R2_PUBLIC_URL"])
def test_an_address_must_be_one(name: str) -> None:
    urls = {"R2_ENDPOINT_URL": "https://r2.example", "R2_PUBLIC_URL": PUBLIC, name: "files"}
    with pytest.raises(Misconfigured, match=name):
        R2Store(Bucket("b", urls["R2_ENDPOINT_URL"], urls["R2_PUBLIC_URL"], "k", "s"))


def test_the_https_headers_are_those_r2_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No checksum trailer, no « Expect »: only https shows them, so the request is caught."""
    caught: list[Any] = []

    class Caught(Exception):
        pass

    def catch(request: Any, **_: object) -> None:
        caught.append(request)
        raise Caught

    store = R2Store(Bucket(BUCKET, "https://account.r2.example", PUBLIC, ACCESS, SECRET))
    store._client.meta.events.register_first("before-send.s3", catch)
    small, large = tmp_path / "small.jpg", tmp_path / "large.glb"
    small.write_bytes(b"x" * 2 * MEBIBYTE)
    large.write_bytes(b"")
    with pytest.raises(Caught):
        store.put("k.jpg", small, "photo.jpg")
    with large.open("rb") as file, pytest.raises(Caught):
        body = Slice(file, 0, 0)
        store._call("upload_part", Bucket=BUCKET, Key="k", UploadId="u", PartNumber=1, Body=body)
    for request in caught:
        names = {name.lower() for name in request.headers}
        assert request.url.startswith("https://account.r2.example/files/k")
        assert not names & {"expect", "x-amz-trailer", "content-encoding", "transfer-encoding"}
        assert not {name for name in names if name.startswith("x-amz-checksum")}
    assert caught[0].headers["If-None-Match"] == b"*"
    store.close()


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (403, "RequestTimeTooSkewed", Misconfigured, "clock"),
        (403, "AccessDenied", Credentials, "R2_ACCESS_KEY_ID"),
        (401, "Unauthorized", Credentials, "R2_ACCESS_KEY_ID"),
        (429, "TooManyRequests", Unavailable, "later"),
        (503, "SlowDown", Unavailable, "later"),
        (404, "NoSuchUpload", Unavailable, "later"),
        (400, "InvalidArgument", FigsupportError, "R2_ENDPOINT_URL"),
    ],
)
def test_an_answer_is_named_after_what_to_do(
    tmp_path: Path, socket_enabled: None, status: int, code: str, kind: type[Exception], says: str
) -> None:
    with answering(status, code) as url:
        store = R2Store(Bucket(BUCKET, url, PUBLIC, ACCESS, SECRET), attempts=1)
        path = tmp_path / "photo.jpg"
        path.write_bytes(b"x")
        with pytest.raises(kind) as caught:
            store.put("k.jpg", path, "photo.jpg")
        assert isinstance(caught.value, FigsupportError)
        assert says in f"{caught.value.message} {caught.value.hint}"
        assert "req-7" in caught.value.message
        store.close()


class answering:  # noqa: N801 — reads as a word
    """A server that answers every call with one error."""

    def __init__(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code></Error>".encode()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.send_header("cf-ray", "req-7")
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("size", [1, 8 * MEBIBYTE + 1, 5 * 10**9, 80 * 10**9 + 1, 5 * 10**12])
def test_parts_keep_to_the_limits(size: int) -> None:
    part = part_size(size)
    assert 5 * MEBIBYTE <= part <= 5 * 1024 * MEBIBYTE
    assert -(-size // part) <= 10_000


def test_a_slice_reads_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(json.dumps(list(range(100))).encode())
    content = path.read_bytes()[10:50]
    with path.open("rb") as file:
        piece = Slice(file, 10, 40)
        assert piece.read() == content
        assert piece.read(5) == b""
        assert piece.seek(-5, os.SEEK_END) == 35
        assert piece.read(99) == content[35:]
        assert piece.seek(0) == 0
        assert (piece.read(3), piece.tell(), len(piece)) == (content[:3], 3, 40)
