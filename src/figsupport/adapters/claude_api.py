"""Anthropic's Messages API, bounded in time, size and attempts: an answer or `Unsure`.

`anthropic` is imported in the calling function alone: it costs two seconds.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from figsupport.core.events import CallDone, Listener, deaf
from figsupport.core.model import Cost
from figsupport.core.opinion import Unsure, cost_of, read_answer
from figsupport.core.rules import Tariff
from figsupport.ports import Health

if TYPE_CHECKING:
    from anthropic import Anthropic

#: One call of the library, given its client and the seconds left; returns a raw response.
Call = Callable[["Anthropic", float], Any]

DEADLINE = 60.0
_MAX_TOKENS = 4096  # thinking eats of it
_LARGEST_ANSWER = 1_000_000
_CACHE_HOLDS = 300.0
_REST = 300.0
_OUTAGES = 2


class Prompt(NamedTuple):
    """One question: instructions that repeat, the case in hand, photos, the answer's schema."""

    instructions: str
    case: str
    schema: Mapping[str, object]
    photos: tuple[bytes, ...] = ()


class Heard(NamedTuple):
    """What came of one attempt: a body, or an HTTP status (None: no answer) and Retry-After."""

    body: bytes = b""
    status: int | None = 200
    retry_after: float | None = None


class ClaudeApi:
    """One account. Counts its calls and what they cost; never raises into the flow."""

    def __init__(
        self,
        key: str,
        base_url: str,
        tariffs: Mapping[str, Tariff],
        *,
        deadline: float = DEADLINE,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        hear: Listener = deaf,
    ) -> None:
        """`deadline` bounds a whole question in seconds, attempts and pauses included."""
        self.calls = 0
        self.cost: Cost | None = None
        self._key, self._base_url, self._tariffs = key, base_url, tariffs
        self._deadline, self._now, self._sleep, self._hear = deadline, now, sleep, hear
        self._client: Anthropic | None = None
        self._asked: dict[tuple[str, str], float] = {}
        self._outages = 0
        self._rests_until = 0.0

    def ask(self, model: str, prompt: Prompt) -> str | Unsure:
        """Return the text of the answer. Any failure is `Unsure`; outages in a row give a rest."""
        if self._now() < self._rests_until:
            return Unsure("le service n'a pas répondu les dernières fois", outage=True)
        answer = self._answer(model, prompt)
        outage = isinstance(answer, Unsure) and answer.outage
        self._outages = self._outages + 1 if outage else 0
        if self._outages >= _OUTAGES:
            self._rests_until = self._now() + _REST
        return answer

    def check(self, models: tuple[str, ...]) -> Health:
        """Look whether the key is good and knows these models; costs no token."""
        for model in models:
            heard = self._heard(_look_up(model), self._now() + self._deadline)
            if heard.status != 200:
                remedy = _REMEDIES.get(heard.status or 0, "try again later")
                said = f"answered {heard.status}" if heard.status else "did not answer"
                return Health(False, f"Claude {said} about {model}: {remedy}")
        unpriced = [model for model in models if model not in self._tariffs]
        note = f"; no price for {', '.join(unpriced)} in claude.md" if unpriced else ""
        return Health(True, f"{', '.join(models)}{note}")

    def _answer(self, model: str, prompt: Prompt) -> str | Unsure:
        request = self._request(model, prompt)
        until = self._now() + self._deadline
        attempt = 0
        while True:
            attempt += 1
            began = self._now()
            heard = self._heard(_create(request), until)
            seconds = self._now() - began
            read, cost = self._read(model, heard) if heard.status == 200 else (None, 0.0)
            self._hear(CallDone("claude", "messages", heard.status, seconds, attempt, cost))
            if read is not None:
                return read
            wait = _pause(heard, attempt, until - self._now())
            if wait is None:
                return _failure(heard)
            self._sleep(wait)

    def _read(self, model: str, heard: Heard) -> tuple[str | Unsure, float]:
        """Return what an answer says and the dollars it cost."""
        answer, usage = read_answer(heard.body)
        cost = cost_of(usage, self._tariffs.get(model))
        self.cost = self.cost + cost if self.cost else cost
        return answer, cost.dollars

    def _request(self, model: str, prompt: Prompt) -> dict[str, Any]:
        instructions: dict[str, Any] = {"type": "text", "text": prompt.instructions}
        key, now = (model, prompt.instructions), self._now()
        if now - self._asked.get(key, -_CACHE_HOLDS) < _CACHE_HOLDS:
            instructions["cache_control"] = {"type": "ephemeral"}  # pays from the second call on
        self._asked[key] = now
        content = [{"type": "text", "text": prompt.case}, *map(_image, prompt.photos)]
        return {
            "model": model,
            "max_tokens": _MAX_TOKENS,
            "system": [instructions],
            "messages": [{"role": "user", "content": content}],
            "output_config": {
                "effort": "low",
                "format": {"type": "json_schema", "schema": prompt.schema},
            },
        }

    def _heard(self, call: Call, until: float) -> Heard:
        """Make one call; it is given up at the deadline, however slowly the answer trickles."""
        client = self._client = self._client or self._connected()
        self.calls += 1
        answers: SimpleQueue[Heard] = SimpleQueue()
        left = max(0.1, until - self._now())
        threading.Thread(
            target=lambda: answers.put(_attempt(call, client, left)), daemon=True
        ).start()
        try:
            return answers.get(timeout=left)
        except Empty:
            self._client = None
            client.close()
            return Heard(status=None)

    def _connected(self) -> "Anthropic":
        import anthropic
        import httpx2

        from figsupport.adapters.bounded import Bounded

        return anthropic.Anthropic(
            api_key=self._key,
            base_url=self._base_url,
            max_retries=0,
            open_telemetry=False,
            http_client=httpx2.Client(
                transport=Bounded(_LARGEST_ANSWER), follow_redirects=False, trust_env=False
            ),
        )


def _create(request: Mapping[str, Any]) -> Call:
    return lambda client, left: client.messages.with_raw_response.create(**request, timeout=left)


def _look_up(model: str) -> Call:
    return lambda client, left: client.models.with_raw_response.retrieve(model, timeout=left)


def _attempt(call: Call, client: "Anthropic", left: float) -> Heard:
    import anthropic

    try:
        return Heard(call(client, left).http_response.content)
    except anthropic.APIStatusError as error:
        after = error.response.headers.get("retry-after", "")
        return Heard(b"", error.status_code, float(after) if after.isdecimal() else None)
    except Exception:  # whatever the library raises on what it did not expect
        return Heard(status=None)


def _pause(heard: Heard, attempt: int, left: float) -> float | None:
    """Return the seconds before the next attempt, None to give up; one policy for all."""
    from figsupport.adapters.http import Failure, pause

    passing = heard.status is None or heard.status >= 500
    failure = Failure(None if passing else heard.status, heard.retry_after)
    wait = pause(failure, attempt, random.random(), repeatable=True)  # noqa: S311
    return wait if wait is not None and wait < left else None


def _failure(heard: Heard) -> Unsure:
    if heard.status is None:
        return Unsure("pas de réponse utilisable dans le délai", outage=True)
    return Unsure(f"le service a répondu {heard.status}", outage=True)


_REMEDIES = {
    401: "the key is not accepted; check ANTHROPIC_API_KEY",
    403: "the key may not use it; check the key's workspace",
    404: "no such model; check FIGSUPPORT_MODEL and FIGSUPPORT_SECOND_MODEL",
}


def _image(photo: bytes) -> dict[str, Any]:
    import base64

    data = base64.b64encode(photo).decode("ascii")
    source = {"type": "base64", "media_type": "image/jpeg", "data": data}
    return {"type": "image", "source": source}
