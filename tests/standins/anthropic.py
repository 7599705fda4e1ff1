"""Anthropic's Messages API as its users meet it: a key, models, usage, a cache, and a model
that answers what a test wants, however hostile."""

import base64
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from .server import StandIn

KEY = "sk-ant-good"
MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5")

Answer = tuple[int, Any, dict[str, str]]
#: What the model says of a request's body: a whole answer of the service.
Says = Callable[[dict[str, Any]], Answer]


class Anthropic(StandIn):
    """One account. `bodies` holds what was asked; `to_say` what to answer, in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[dict[str, Any]] = []
        self.to_say: list[Says] = []
        self.cached: set[str] = set()

    def refuse(self, status: int) -> Answer:
        return error(status)

    def handle(
        self, method: str, path: str, query: dict[str, str], body: Any, headers: Any
    ) -> Answer:
        if headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, "authentication_error")
        match method, path.strip("/").split("/"):
            case "GET", ["v1", "models", model]:
                known = model in MODELS
                return (200, {"type": "model", "id": model}, {}) if known else error(404)
            case "POST", ["v1", "messages"] if problem := _problem(body):
                return error(400, "invalid_request_error", problem)
            case "POST", ["v1", "messages"]:
                self.bodies.append(body)
                says = self.to_say.pop(0) if self.to_say else reads_the_client
                status, answer, sent = says(body)
                if isinstance(answer, dict) and "usage" in answer:
                    answer["usage"] = {**self._usage(body), **answer["usage"]}
                return status, answer, sent
            case _:
                return error(404)

    def _usage(self, body: dict[str, Any]) -> dict[str, int]:
        """Count a token for four characters; a marked prompt is written once, then read."""
        system = body["system"][0]
        tokens = len(system["text"]) // 4
        usage = {"input_tokens": len(json.dumps(body["messages"])) // 4, "output_tokens": 60}
        if "cache_control" not in system:
            return {**usage, "input_tokens": usage["input_tokens"] + tokens}
        kind = "read" if system["text"] in self.cached else "creation"
        self.cached.add(system["text"])
        return {**usage, f"cache_{kind}_input_tokens": tokens}


def error(status: int, kind: str = "api_error", message: str = "as asked") -> Answer:
    """What the service answers when it does not do the work."""
    return status, {"type": "error", "error": {"type": kind, "message": message}}, {}


def message(content: Any, stop_reason: Any = "end_turn", **changes: Any) -> dict[str, Any]:
    """A whole message; a text is one block of text."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODELS[0],
        "content": blocks,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {},
        **changes,
    }


def says(content: Any, stop_reason: Any = "end_turn", **changes: Any) -> Says:
    """The model answers this, given as JSON unless it is a text or a list of blocks."""
    text = json.dumps(content) if isinstance(content, dict) else content
    return lambda body: (200, message(text, stop_reason, **changes), {})


def answers(status: int, raw: bytes = b"", **headers: str) -> Says:
    """The service answers these bytes under this status."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda body: (status, raw, sent)


def streams(*pieces: bytes, pause: float = 0.0, times: int = 1) -> Says:
    """The service writes raw bytes, slowly and often."""

    def write(request: BaseHTTPRequestHandler) -> None:
        for piece in pieces * times:
            request.wfile.write(piece)
            request.wfile.flush()
            time.sleep(pause)

    return lambda body: (200, write, {})


def client_words(body: dict[str, Any]) -> dict[str, Any]:
    """Return the client's data inside the salted tag."""
    text = body["messages"][0]["content"][0]["text"]
    data = text[text.index("{") : text.rindex("}") + 1]
    found: dict[str, Any] = json.loads(data)
    return found


def reads_the_client(body: dict[str, Any]) -> Answer:
    """A dull model: quotes the first words, sees a standard object, is sure of nothing else."""
    said = client_words(body)
    if "texte" in said:
        quote = " ".join(said["texte"].split()[:3])
        return says({"quote": quote, "label": "unclear", "confidence": "high"})(body)
    text = f"{said['objet']} {said['description']}"
    opinion = {
        "quote": " ".join(text.split()[:3]),
        "type": "MODELISATION",
        "object": said["objet"],
        "complexity": "standard",
        "ornate": False,
        "several": False,
        "confidence": "high",
    }
    return says(opinion)(body)


def obeys_the_client(body: dict[str, Any]) -> Answer:
    """A model that was talked round: all is accepted, all is simple, and it is quite sure."""
    said = client_words(body)
    if "texte" in said:
        opinion = {"quote": said["texte"][:200], "label": "accept", "confidence": "high"}
        return says(opinion)(body)
    quote = " ".join(f"{said['objet']} {said['description']}".split()[:3])
    opinion = {
        "quote": quote,
        "type": "MODELISATION",
        "object": quote,
        "complexity": "simple",
        "ornate": False,
        "several": False,
        "confidence": "high",
    }
    return says(opinion)(body)


def _problem(body: Any) -> str:
    """Return what the service would refuse in a body, as its documentation says."""
    if not isinstance(body, dict) or body.get("model") not in MODELS:
        return "model: unknown"
    if not isinstance(body.get("max_tokens"), int) or "temperature" in body:
        return "max_tokens: required; temperature: not supported"
    schema = body["output_config"]["format"]["schema"]
    if schema.get("additionalProperties") is not False:
        return "output_config.format.schema: additionalProperties must be false"
    for block in body["messages"][0]["content"][1:]:
        source = block["source"]
        if not base64.b64decode(source["data"]).startswith(b"\xff\xd8"):
            return "messages.0.content: the data is no image/jpeg"
    return ""
