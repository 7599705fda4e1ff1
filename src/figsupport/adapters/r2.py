"""Clients' files on Cloudflare R2, through botocore: whole or not at all, never overwritten.

Every write is conditional (`If-None-Match: *`), so a key is stored once whoever writes it, and
a write whose answer was lost is known by the next one. Large files go up in equal parts read
straight from the disk: memory stays the same whatever their size.
"""

import contextlib
import hashlib
import hmac
import io
import mimetypes
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from figsupport.core.events import CallDone, Listener, deaf
from figsupport.errors import (
    Credentials,
    FigsupportError,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
)
from figsupport.ports import Health, StoredFile

#: Told while a large file goes up: its name, the bytes that went, the bytes of the whole.
Moved = Callable[[str, int, int], None]

_PART = 8 * 1024 * 1024
_MOST_PARTS = 10_000
_MOST_A_CALL = 1000
_LANES = 8
_PROBE = "figsupport-setup-probe"
_TYPES = {
    ".glb": "model/gltf-binary", ".gltf": "model/gltf+json", ".usdz": "model/vnd.usdz+zip",
    ".obj": "model/obj", ".stl": "model/stl", ".3mf": "model/3mf", ".step": "model/step",
    ".heic": "image/heic", ".webp": "image/webp",
}  # fmt: skip
_LATER = "Run the same command again later: it is safe, and what is stored is not sent again."
_BUCKET = "Set R2_BUCKET_NAME to a bucket of this account, and R2_ENDPOINT_URL to its endpoint."
_KEY = "Check R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY: an R2 token that may read and write "
_KEY += "objects of the bucket R2_BUCKET_NAME."
_CLOCK = "Set this machine's clock (NTP): R2 refuses calls signed more than 15 minutes off."


class Bucket(NamedTuple):
    """Where files go: the bucket, its endpoint, its public address, who we are there."""

    name: str
    endpoint: str
    public_url: str
    key_id: str
    secret: str


class R2Store:
    """See `ports.Store`."""

    #: How many files of a request are sent at once.
    at_once = 4

    def __init__(
        self,
        bucket: Bucket,
        moved: Moved | None = None,
        *,
        attempts: int = 4,
        timeout: float = 30,
        hear: Listener = deaf,
    ) -> None:
        """`attempts` and `timeout` (seconds) are for each call. Raises Misconfigured.

        `hear` is told of each call, its attempts together.
        """
        for name, url in (
            ("R2_ENDPOINT_URL", bucket.endpoint),
            ("R2_PUBLIC_URL", bucket.public_url),
        ):
            if urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).netloc:
                raise Misconfigured(
                    f"{name}={url} is no web address", hint=f"Set {name} to an https address."
                )
        self._bucket, self._moved = bucket, moved
        self._attempts, self._timeout, self._hear = attempts, timeout, hear
        self._counting = threading.Lock()
        self.calls = 0

    def put(self, key: str, source: Path, name: str) -> StoredFile:
        """Store a file under a key, unless the key is there already. Threads may call it."""
        size = source.stat().st_size
        sha256 = _sha256(source)
        about: dict[str, Any] = {
            "Bucket": self._bucket.name,
            "Key": key,
            "ContentType": content_type(key),
            "ContentDisposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Metadata": {"sha256": sha256},
        }  # fmt: skip
        url = f"{self._bucket.public_url.rstrip('/')}/{quote(key, safe='/-_.~')}"
        stored = StoredFile(url, size, sha256)
        there = self._there(key) if size > _PART else None
        if there is None:
            if self._write(about, source, size, name):
                return stored
            there = self._there(key)  # an earlier run, or an earlier attempt, was first
        if there is None:
            raise Unavailable(f"R2 neither took nor has « {name} »", hint=_LATER)
        found = there.get("Metadata", {}).get("sha256") or stored.sha256
        return StoredFile(url, int(there["ContentLength"]), found)

    def get(self, key: str) -> bytes:
        """Return what is stored under a key."""
        try:
            found = self._call("get_object", Bucket=self._bucket.name, Key=key)
            content: bytes = found["Body"].read()
        except _Absent:
            raise NotFound(f"Nothing is stored under {key}") from None
        return content

    def keys(self, folder: str) -> tuple[str, ...]:
        """Return the keys in a folder, sorted, a thousand a call."""
        found: list[str] = []
        more: dict[str, Any] = {}
        while True:
            prefix = f"{_one_folder(folder)}/"
            page = self._call("list_objects_v2", Bucket=self._bucket.name, Prefix=prefix, **more)
            found += [one["Key"] for one in page.get("Contents") or []]
            if not page.get("IsTruncated"):
                return tuple(sorted(found))
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def fetch(self, key: str, into: BinaryIO) -> None:
        """Write what is stored under a key into a file, block by block."""
        from botocore.exceptions import BotoCoreError

        try:
            body = self._call("get_object", Bucket=self._bucket.name, Key=key)["Body"]
            with contextlib.closing(body):
                for block in body.iter_chunks(1024 * 1024):
                    into.write(block)
        except _Absent:
            raise NotFound(f"Nothing is stored under {key}") from None
        except BotoCoreError as error:  # lost on the way
            raise Unavailable(f"R2 stopped sending ({type(error).__name__})", hint=_LATER) from None

    def remove(self, folder: str, keep: Sequence[str] = ()) -> int:
        """Delete what is in a folder but the keys to keep, a thousand a call."""
        gone = [key for key in self.keys(folder) if key not in keep]
        for start in range(0, len(gone), _MOST_A_CALL):
            objects = [{"Key": key} for key in gone[start : start + _MOST_A_CALL]]
            answer = self._call(
                "delete_objects",
                Bucket=self._bucket.name,
                Delete={"Objects": objects, "Quiet": True},
            )
            if wrong := answer.get("Errors"):
                raise Unavailable(
                    f"R2 could not delete {len(wrong)} objects: {wrong[0].get('Code')}", hint=_LATER
                )
        left = self._call(
            "list_multipart_uploads", Bucket=self._bucket.name, Prefix=f"{_one_folder(folder)}/"
        )
        for upload in left.get("Uploads") or []:
            place = {"Bucket": self._bucket.name, "Key": upload["Key"]}
            self._abort({**place, "UploadId": upload["UploadId"]})
        return len(gone)

    def secret_folder(self, case_id: str) -> str:
        """Return 32 hexadecimal characters that follow from the case and the store's secret."""
        secret = hashlib.sha256(b"figsupport folder " + self._bucket.secret.encode()).digest()
        return hmac.new(secret, case_id.encode(), hashlib.sha256).hexdigest()[:32]

    def check(self) -> Health:
        """List one object: the bucket is there and the key may read it."""
        try:
            self._call("list_objects_v2", Bucket=self._bucket.name, MaxKeys=1)
        except FigsupportError as error:
            return Health(False, f"{error.message} — {error.hint}")
        return Health(True, f"bucket {self._bucket.name}")

    def setup(self, *, dry_run: bool) -> list[tuple[str, str]]:
        """Prove that the bucket takes a write, and take it back."""
        if not dry_run:
            place = {"Bucket": self._bucket.name, "Key": _PROBE}
            self._call("put_object", Body=b"", **place)
            self._call("delete_object", **place)
        return [(f"bucket {self._bucket.name} (takes a write)", "there")]

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def _write(self, about: dict[str, Any], source: Path, size: int, name: str) -> bool:
        """Send a file; False when the key is taken."""
        if size > _PART:
            return self._write_parts(about, source, size, name)
        with source.open("rb") as body:
            return self._unless_there("put_object", Body=body, IfNoneMatch="*", **about)

    def _write_parts(self, about: dict[str, Any], source: Path, size: int, name: str) -> bool:
        """Send a large file in equal parts, the last one shorter; False when the key is taken."""
        place = {"Bucket": about["Bucket"], "Key": about["Key"]}
        self._abort_left(place)
        upload = {**place, "UploadId": self._call("create_multipart_upload", **about)["UploadId"]}
        part = part_size(size)
        sent = 0

        def send(number: int) -> dict[str, Any]:
            nonlocal sent
            with source.open("rb") as file:
                slice_ = Slice(file, (number - 1) * part, min(part, size - (number - 1) * part))
                etag = self._call("upload_part", PartNumber=number, Body=slice_, **upload)["ETag"]
            if self._moved:
                with self._counting:
                    sent += len(slice_)
                    self._moved(name, sent, size)
            return {"PartNumber": number, "ETag": etag}

        try:
            numbers = range(1, -(-size // part) + 1)
            with ThreadPoolExecutor(_LANES) as lanes:
                parts = list(lanes.map(send, numbers))
            return self._unless_there(
                "complete_multipart_upload",
                MultipartUpload={"Parts": parts}, IfNoneMatch="*", **upload,
            )  # fmt: skip
        except BaseException:
            self._abort(upload)
            raise

    def _abort_left(self, place: dict[str, Any]) -> None:
        """Take back what killed runs left half sent under this key: it would be billed."""
        left = self._call("list_multipart_uploads", Bucket=place["Bucket"], Prefix=place["Key"])
        for upload in left.get("Uploads") or []:
            if upload["Key"] == place["Key"]:
                self._abort({**place, "UploadId": upload["UploadId"]})

    def _abort(self, upload: dict[str, Any]) -> None:
        try:
            self._call("abort_multipart_upload", **upload)
        except FigsupportError:
            return  # the next run, or the bucket's own rule after seven days, takes it back

    def _unless_there(self, operation: str, **arguments: Any) -> bool:
        """Do a conditional write; False when the key is taken (412)."""
        try:
            self._call(operation, **arguments)
        except _Taken:
            if "UploadId" in arguments:
                self._abort({name: arguments[name] for name in ("Bucket", "Key", "UploadId")})
            return False
        return True

    def _there(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._call("head_object", Bucket=self._bucket.name, Key=key)
        except _Absent:
            return None
        return found

    def _call(self, operation: str, **arguments: Any) -> Any:
        from botocore import exceptions

        answer: dict[str, Any] = {}
        began = time.perf_counter()
        try:
            call = getattr(self._client, operation)
            began = time.perf_counter()  # opening the client is no part of the call
            answer = call(**arguments)
            return answer
        except exceptions.ClientError as error:
            answer = dict(error.response)
            raise _told(error.response, self._bucket) from None
        except exceptions.ParamValidationError as error:
            raise Misconfigured(f"R2_BUCKET_NAME does not fit: {error}", hint=_BUCKET) from None
        except exceptions.BotoCoreError as error:
            host = urlsplit(self._bucket.endpoint).netloc
            raise Unavailable(
                f"R2 does not answer at {host} ({type(error).__name__})",
                hint=f"Check R2_ENDPOINT_URL. {_LATER}",
            ) from None
        finally:
            told = answer.get("ResponseMetadata", {})
            status, attempt = told.get("HTTPStatusCode"), 1 + told.get("RetryAttempts", 0)
            self._hear(CallDone("r2", operation, status, time.perf_counter() - began, attempt))

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config
        from botocore.handlers import add_expect_header
        from botocore.session import Session

        client = Session().create_client(
            "s3",
            region_name="auto",
            endpoint_url=self._bucket.endpoint,
            aws_access_key_id=self._bucket.key_id,
            aws_secret_access_key=self._bucket.secret,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                # the default sends a checksum in a trailer, which R2 was seen refusing
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"mode": "standard", "total_max_attempts": self._attempts},
                connect_timeout=min(10.0, self._timeout),
                read_timeout=self._timeout,
                max_pool_connections=self.at_once * _LANES,
            ),
        )
        # a server that never answers « 100 Continue » would cost a second for each write
        client.meta.events.unregister("before-call.s3", add_expect_header)
        client.meta.events.register("before-send.s3", self._count)
        return client

    def _count(self, **_: object) -> None:
        with self._counting:
            self.calls += 1


class Slice(io.RawIOBase):
    """A stretch of a file that reads like a file of its own, from the disk."""

    def __init__(self, file: io.BufferedReader, start: int, length: int) -> None:
        self._file, self._start, self._length = file, start, length
        self._at = 0
        file.seek(start)

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`."""
        left = self._length - self._at
        block = self._file.read(left if size < 0 else min(size, left))
        self._at += len(block)
        return block

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the stretch."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, min(base + offset, self._length))
        self._file.seek(self._start + self._at)
        return self._at

    def tell(self) -> int:
        """Return the position within the stretch."""
        return self._at

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True


def part_size(size: int) -> int:
    """Return the bytes of each part but the last: R2 wants them equal, and at most 10,000."""
    mebibyte = 1024 * 1024
    return max(_PART, -(-size // _MOST_PARTS // mebibyte) * mebibyte)


def content_type(key: str) -> str:
    """Return the media type of a key's extension (IANA's for 3D formats)."""
    known = _TYPES.get(Path(key).suffix.lower()) or mimetypes.guess_type(key)[0]
    return known or "application/octet-stream"


def _one_folder(folder: str) -> str:
    """Refuse what would name more than one folder: deleting takes a prefix."""
    if not folder.strip(".") or "/" in folder:
        raise ValueError(f"a folder is the first segment of keys: {folder}")
    return folder


class _Taken(Refused):
    """The key is there already (412)."""


class _Absent(Refused):
    """The key is not there (404)."""


def _told(answer: Any, bucket: Bucket) -> FigsupportError:
    """Return the error of an answer, named after what the reader can do about it."""
    about = answer.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode") or 0)
    code = str(answer.get("Error", {}).get("Code") or status)
    request = str(about.get("RequestId") or about.get("HTTPHeaders", {}).get("cf-ray") or "")
    where = f" (request id {request})" if request else ""
    said = f"R2 answered {status}: {code}{where}"
    if status == 412:
        return _Taken(said)
    if code == "NoSuchBucket":
        return Misconfigured(f"R2 has no bucket « {bucket.name} »{where}", hint=_BUCKET)
    if code == "NoSuchUpload":  # ended by an earlier attempt, or taken back by another run
        return Unavailable(said, hint=_LATER)
    if status == 404:
        return _Absent(said, hint=_BUCKET)
    if code == "RequestTimeTooSkewed":
        return Misconfigured(f"R2 says this machine's clock is wrong{where}", hint=_CLOCK)
    if status in (401, 403) or code in ("InvalidAccessKeyId", "SignatureDoesNotMatch"):
        return Credentials(f"{said} on the bucket « {bucket.name} »", hint=_KEY)
    if status in (408, 429) or status >= 500 or status == 0:
        return Unavailable(said, hint=_LATER)
    return Refused(said, hint="See the provider's answer; check R2_ENDPOINT_URL.")


def _sha256(path: Path) -> str:
    with path.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()
