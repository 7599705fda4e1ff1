"""An httpx2 transport whose answers are bounded in size and never unpacked."""

from collections.abc import Iterator

import httpx2


class Bounded(httpx2.HTTPTransport):
    """Reads at most `most` bytes of an answer, and none that comes compressed.

    A connection serves one call: calls are few and far between, and a kept one goes stale.
    """

    def __init__(self, most: int) -> None:
        super().__init__(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
        self._most = most

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; reading its answer raises ReadError beyond the bound."""
        request.headers["Accept-Encoding"] = "identity"
        answer = super().handle_request(request)
        packed = answer.headers.get("content-encoding", "identity") != "identity"
        answer.stream = _Body(answer.stream, 0 if packed else self._most)
        return answer


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: object, most: int) -> None:
        assert isinstance(stream, httpx2.SyncByteStream)  # noqa: S101 — of a sync transport
        self._stream, self._most = stream, most

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for block in self._stream:
            size += len(block)
            if size > self._most:
                raise httpx2.ReadError("the answer is larger than it may be, or compressed")
            yield block

    def close(self) -> None:
        self._stream.close()
