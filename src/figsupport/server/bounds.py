"""What keeps a flood out: bodies within bytes and seconds, senders within a rate."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from ipaddress import IPv6Address, ip_address

from fastapi import Request

from figsupport.server.problems import HttpProblem, too_many

_MOST_SENDERS = 10_000


async def chunks(request: Request, most: int, seconds: float) -> AsyncIterator[bytes]:
    """Yield a body as it comes; it is counted, whatever its headers say.

    Raises HttpProblem: 413 beyond `most` bytes, 408 beyond `seconds`, 415 when compressed.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HttpProblem(415, "content_encoding", "The body is compressed; send it as it is.")
    declared = request.headers.get("content-length", "")
    size, until = int(declared) if declared.isdigit() else 0, time.monotonic() + seconds
    too_large = HttpProblem(413, "too_large", f"The body is larger than {most} bytes.")
    if size > most:
        raise too_large
    size, stream = 0, aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(until - time.monotonic()):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise HttpProblem(
                408, "too_slow", f"The body did not come within {seconds:g} seconds."
            ) from None
        size += len(chunk)
        if size > most:
            raise too_large
        yield chunk


async def body_of(request: Request, most: int, seconds: float) -> bytes:
    """Return a whole body, within the same bounds."""
    return b"".join([chunk async for chunk in chunks(request, most, seconds)])


def expect_type(request: Request, expected: str) -> None:
    """Refuse another content type. Raises HttpProblem (415)."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != expected:
        said = f"« {given} »" if given else "nothing"
        raise HttpProblem(415, "content_type", f"Content-Type says {said}; expected {expected}.")


class Rate:
    """A bucket of tokens for each sender: so many calls a minute, as many at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`per_minute`: 0 is no limit."""
        self._most, self._clock = per_minute, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, sender: str) -> None:
        """Count a call. Raises HttpProblem (429) saying when the next one may come."""
        if not self._most:
            return
        now = self._clock()
        left, since = self._buckets.pop(sender, (float(self._most), now))
        left = min(self._most, left + (now - since) * self._most / 60)
        self._buckets[sender] = (max(left - 1, 0.0) if left >= 1 else left, now)
        if len(self._buckets) > _MOST_SENDERS:
            self._buckets.popitem(last=False)  # whoever was quiet longest
        if left < 1:
            wait = (1 - left) * 60 / self._most
            raise too_many("Too many requests of one sender. Nothing was done.", wait)


def sender_of(address: str) -> str:
    """Return an e-mail address without case and tag: one sender, one bucket."""
    name, _, domain = address.strip().lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def network_of(request: Request) -> str:
    """Return the caller's address; of IPv6 the network, which one household holds."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return (address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64)).compressed
    return host
