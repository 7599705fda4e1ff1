"""The documents over HTTP, as the OpenAPI document describes them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from figsupport.server.problems import MEDIA_TYPE


class FileEntry(BaseModel):
    """A file by its link."""

    name: str = Field(min_length=1, max_length=255, pattern=r"\S")
    url: str | None = Field(None, min_length=1, max_length=4096, pattern=r"\S")


class RequestDocument(BaseModel):
    """What a client asks for. Unknown fields are kept."""

    model_config = ConfigDict(extra="allow")

    source: str = Field("", max_length=1000)
    objet: str = Field("", max_length=1000)
    description: str = Field("", max_length=100_000)
    user_email: str = Field(examples=["client@example.com"])
    user_name: str = Field("", max_length=1000)
    fichiers: list[FileEntry] = Field(default=[], max_length=50)
    request_id: str | None = Field(None, max_length=200)
    langue: Literal["fr", "en"] | None = None


class IntakeDocument(BaseModel):
    """What became of a request."""

    status: Literal["pending_validation", "done"]
    ticket_id: str | None
    ticket_url: str | None
    is_new_ticket: bool
    classification: Literal["SUPPORT", "MODELISATION"] | None
    files_uploaded: int
    validation_status: str | None
    credits_estimes: int | None
    message: str
    request_id: str


class ValidationRequest(BaseModel):
    """An administrator accepts for the client."""

    ticket_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["12345"])
    credits: int = Field(ge=1, examples=[2])
    admin_notes: str = Field("", max_length=10_000)


class ValidationDocument(BaseModel):
    """What became of a decision."""

    success: bool
    ticket_id: str | None
    subtask_id: str | None
    credits: int | None
    message: str


class HealthDocument(BaseModel):
    """Is everything usable? Without a secret or token: status and version only."""

    model_config = ConfigDict(extra="allow")

    status: Literal["healthy", "degraded", "unhealthy"]
    version: str
    features: dict[str, bool] | None = None
    workflow: dict[str, str] | None = None
    providers: dict[str, dict[str, Any]] | None = None


class FormToken(BaseModel):
    """A token of the form: its text and, in seconds, how young and how old it may be."""

    token: str
    min_age: float
    max_age: float


class FormReceipt(BaseModel):
    """What the page may show: our reference, which letters carry too."""

    reference: str
    files: int
    message: str


class FieldProblem(BaseModel):
    """One thing wrong: where, and what is wrong and expected there."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    problems: list[FieldProblem]


_SAID = {
    400: "The call itself is malformed",
    401: "Neither signed nor with the token",
    403: "Not from an allowed page, or without its token",
    404: "There is no such thing",
    408: "The body came too slowly",
    409: "Contradicts what stands: another decision, or another body under the same id",
    413: "Too large",
    415: "Another content type is expected",
    422: "The document does not fit; every problem is named",
    429: "Too many of one sender",
    500: "A fault of ours",
    502: "A provider refused; a person has to look",
    503: "Unavailable or too busy just now; sending it again is safe",
}
_TRIED_AGAIN = (429, 503)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the refusals of an endpoint, for its `responses`."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    seconds = {"description": "Seconds to wait", "schema": {"type": "integer"}}
    return {
        status: {
            "description": _SAID[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
            **({"headers": {"Retry-After": seconds}} if status in _TRIED_AGAIN else {}),
        }
        for status in statuses
    }


def webhook_answers(model: type[BaseModel], *more: int) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a webhook."""
    usual = (401, 408, 409, 413, 415, 422, 429, 500, 502, 503)
    return {200: {"model": model}, **refusals(*sorted({*usual, *more}))}


def form_answers(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the answers of the form."""
    usual = (403, 404, 408, 409, 413, 415, 422, 429, 500, 502, 503)
    return {200: {"model": model}, **refusals(*usual)}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return what describes a JSON body, for `openapi_extra`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, "security": [{"token": []}, {"signature": []}]}


def hubspot_body() -> dict[str, Any]:
    """Return what describes HubSpot's events, of which only the signature is read."""
    schema = {"type": "array", "items": {"type": "object"}}
    headers = ("X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp")
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in headers
        ],
    }


def form_body() -> dict[str, Any]:
    """Return what describes the form."""
    text = {"type": "string"}
    properties = {
        "request_id": {"type": "string", "format": "uuid"},
        "objet": {"type": "string", "maxLength": 1000},
        "description": text,
        "user_email": {"type": "string", "format": "email"},
        "user_name": {"type": "string", "maxLength": 1000},
        "langue": {"type": "string", "enum": ["fr", "en"]},
        "website": {"type": "string", "maxLength": 0},
        "fichiers": {"type": "array", "items": {"type": "string", "format": "binary"}},
    }
    needed = ["request_id", "description", "user_email"]
    schema = {"type": "object", "properties": properties, "required": needed}
    header = {"name": "X-Form-Token", "in": "header", "required": True, "schema": text}
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body, "parameters": [header]}


#: What the document says beside the endpoints.
COMPONENTS: dict[str, Any] = {
    "schemas": {
        model.__name__: model.model_json_schema(ref_template="#/components/schemas/{model}")
        for model in (FileEntry, FieldProblem, ProblemDetails)
    },
    "securitySchemes": {
        "token": {"type": "http", "scheme": "bearer"},
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": "Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature",
        },
    },
}
COMPONENTS["schemas"]["ProblemDetails"].pop("$defs", None)
