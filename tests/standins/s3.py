"""A real S3 server on the loopback: SeaweedFS, from PyPI, in a folder that is thrown away."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from .server import Answer, StandIn

ACCESS = "figsupporttest"
SECRET = "not-a-secret-of-anyone"
BUCKET = "files"


class S3:
    """One server with one bucket."""

    def __init__(self, *, buckets: tuple[str, ...] = (BUCKET,)) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="s3-"))
        config = self._folder / "s3.json"
        user = {
            "name": "test",
            "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
            "actions": ["Admin"],
        }
        config.write_text(json.dumps({"identities": [user]}), encoding="utf-8")
        ports = _free_ports(10)
        names = (
            "s3.port", "s3.port.grpc", "s3.port.iceberg", "filer.port", "filer.port.grpc",
            "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "admin.port",
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{ports[0]}"
        self._process = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "weed"), "mini", f"-dir={self._folder}/data",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-webdav=false",
                "-admin.ui=false", "-s3.autoCreateBucket=false", f"-s3.config={config}",
                *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
            ],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._buckets: tuple[str, ...] = buckets

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def client(self) -> "object":
        """A client with every right."""
        from botocore.config import Config
        from botocore.session import Session

        return Session().create_client(
            "s3", region_name="auto", endpoint_url=self.url,
            aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip

    def wait(self, seconds: float = 30.0) -> None:
        """Wait until it answers, and make the buckets."""
        if not self._buckets:
            return
        until = time.monotonic() + seconds
        client = self.client()
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=1).close()
            except urllib.error.HTTPError:
                pass
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.1)
                continue
            try:
                for bucket in self._buckets:
                    client.create_bucket(Bucket=bucket)  # type: ignore[attr-defined]
            except Exception:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
                continue
            self._buckets = ()
            return

    def close(self) -> None:
        """Stop the server and forget what it held."""
        self._process.terminate()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:  # it holds nothing that anybody wants
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)


class Flaky(StandIn):
    """The same server behind a connection on which calls get lost."""

    def __init__(self, server: S3) -> None:
        super().__init__()
        self._to = server.url.removeprefix("http://")

    def answer(self, request: BaseHTTPRequestHandler, raw: bytes) -> Answer:
        connection = HTTPConnection(self._to, timeout=30)
        with closing(connection):
            connection.request(request.command, request.path, raw, dict(request.headers))
            answer = connection.getresponse()
            headers = {name: answer.headers[name] for name in answer.headers}
            content = answer.read()
        length = len(content) if request.command != "HEAD" else headers.get("Content-Length", "0")
        kept = {name: headers[name] for name in headers if name.lower() not in _OURS}
        return answer.status, content, {**kept, "Content-Length": str(length)}

    def refuse(self, status: int) -> tuple[int, Any, dict[str, str]]:
        return status, {}, {}


_OURS = {"content-length", "connection", "date", "server", "transfer-encoding"}


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
