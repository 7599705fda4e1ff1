"""Claude as a judge, with the rules behind it: facts and rules first, opinions where they help."""

import secrets
from collections.abc import Callable, Sequence

from figsupport.adapters.claude_api import ClaudeApi, Prompt
from figsupport.core import opinion, progress, prompts
from figsupport.core.machines import is_forged
from figsupport.core.model import (
    Analysis,
    Case,
    Classification,
    Cost,
    FileFact,
    FileRef,
    Message,
    Reply,
    Request,
)
from figsupport.core.opinion import REPLY_SCHEMA, REQUEST_SCHEMA, RequestOpinion, Unsure
from figsupport.core.rules import Directives
from figsupport.ports import Health, Judge

#: Files → those that are photos, as small JPEGs; what cannot be had is left out.
Photos = Callable[[Sequence[FileRef]], tuple[bytes, ...]]


class ClaudeJudge:
    """See `ports.Judge`. What Claude cannot say, the rules have said already."""

    def __init__(
        self,
        rules: Judge,
        api: ClaudeApi,
        models: tuple[str, str],
        directives: Directives,
        photos: Photos,
        *,
        warn: Callable[[str], None],
        salt: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        """`models` are the usual one and the second opinion; `warn` is told once of an outage."""
        self._rules, self._api, self._models = rules, api, models
        self._directives, self._photos, self._warn, self._salt = directives, photos, warn, salt
        self._warned = False
        self._last: tuple[str, RequestOpinion | Unsure] | None = None

    @property
    def calls(self) -> int:
        """Return how many calls the service got."""
        return self._api.calls

    def take_cost(self) -> Cost | None:
        """Return what was spent since this was last asked, None when nothing."""
        cost, self._api.cost = self._api.cost, None
        return cost

    def classify(self, request: Request) -> Classification:
        """Return SUPPORT or MODELISATION and why; Claude is asked when the rules are not sure."""
        found = self._rules.classify(request)
        if found.confidence == "high":
            return found
        return opinion.typed(found, self._opinion(request, ()))

    def analyze(self, request: Request, files: Sequence[FileFact]) -> Analysis:
        """Return completeness, complexity and credits; Claude is asked unless facts decide."""
        found = self._rules.analyze(request, files)
        if opinion.is_settled(found, files):
            return found
        usable = sum(1 for file in files if file.problem is None and file.kind != "other")
        believed = self._opinion(request, files)
        return opinion.priced(found, believed, request, usable, self._directives)

    def read(self, message: Message, case: Case) -> Reply:
        """Return what a message means; Claude reads what the grammar found unclear.

        It is not asked about what a person must see anyway: mails of others, forged ones, and
        those that answer nothing we asked.
        """
        found = self._rules.read(message, case)
        awaited = case.open_quote is not None or case.validation_status == "pending_info"
        trusted = progress.from_contact(case, message) and not is_forged(message)
        if found.intent != "unclear" or not (found.words.strip() and awaited and trusted):
            return found
        instructions = prompts.reply_instructions(self._directives)
        about = prompts.about_reply(found.words, case, self._salt())
        answer = self._ask(self._models[0], Prompt(instructions, about, REPLY_SCHEMA))
        if isinstance(answer, str):
            return opinion.weighed(found, opinion.reply_opinion(answer, found.words))
        return opinion.weighed(found, answer)

    def check(self) -> Health:
        """Look whether the key is good and knows both models; costs no token."""
        return self._api.check(tuple(dict.fromkeys(self._models)))

    def _opinion(self, request: Request, files: Sequence[FileFact]) -> RequestOpinion | Unsure:
        """Return the one opinion that serves type and price; asked once for a request."""
        identity = request.fingerprint()
        if self._last is None or self._last[0] != identity:
            self._last = (identity, self._fresh_opinion(request, files))
        return self._last[1]

    def _fresh_opinion(
        self, request: Request, files: Sequence[FileFact]
    ) -> RequestOpinion | Unsure:
        """Ask about a request; its files are known by name only until they are stored."""
        grid = self._directives.grid
        known = files or [
            FileFact(name=ref.name, kind=grid.kind_of(ref.name)) for ref in request.fichiers
        ]
        photos = [
            FileRef(name=fact.name, url=fact.url) if _is_on_the_web(fact) else ref
            for fact, ref in zip(known, request.fichiers, strict=False)
            if fact.kind == "photo" and fact.problem is None
        ]
        prompt = Prompt(
            prompts.request_instructions(self._directives),
            prompts.about_request(request, known, self._directives, self._salt()),
            REQUEST_SCHEMA,
            self._photos(photos),
        )
        first = self._request_opinion(self._models[0], prompt, request)
        if isinstance(first, Unsure) or not opinion.needs_second(first, grid):
            return first
        return opinion.agreed(first, self._request_opinion(self._models[1], prompt, request))

    def _request_opinion(
        self, model: str, prompt: Prompt, request: Request
    ) -> RequestOpinion | Unsure:
        answer = self._ask(model, prompt)
        return opinion.request_opinion(answer, request.text) if isinstance(answer, str) else answer

    def _ask(self, model: str, prompt: Prompt) -> str | Unsure:
        answer = self._api.ask(model, prompt)
        if isinstance(answer, Unsure) and answer.outage and not self._warned:
            self._warned = True
            self._warn(f"Claude did not help ({answer.reason}): the rules judge instead")
        return answer


def _is_on_the_web(file: FileFact) -> bool:
    """Tell whether the store's own copy can be fetched: a client's link may have expired."""
    return (file.url or "").startswith("https://")
