"""The judge by rules: the directives, applied. Works without a model or a network."""

from collections.abc import Sequence
from functools import cached_property

from figsupport.core import classify, pricing, replies
from figsupport.core.model import Analysis, Case, Classification, FileFact, Message, Reply, Request
from figsupport.core.rules import Directives
from figsupport.ports import Health


class RulesJudge:
    """See `ports.Judge`."""

    def __init__(self, directives: Directives, *, bare_yes: bool = True) -> None:
        """`bare_yes`: whether a bare « ok » may accept; otherwise a person reads it."""
        self._directives = directives
        self._bare_yes = bare_yes

    def classify(self, request: Request) -> Classification:
        """Return SUPPORT or MODELISATION and why."""
        return classify.classify(request, self._directives)

    def analyze(self, request: Request, files: Sequence[FileFact]) -> Analysis:
        """Return completeness, complexity and credits."""
        return pricing.analyze(request, files, self._directives)

    def read(self, message: Message, case: Case) -> Reply:
        """Return what a client's message means as an answer to our last letter."""
        words = self._directives.replies
        return replies.read_reply(message, case, words, bare=self._bare_yes, things=self._things)

    @cached_property
    def _things(self) -> frozenset[tuple[str, ...]]:
        return replies.spoken_of(self._directives.grid.complexity_of)

    def check(self) -> Health:
        """Return that rules are always there."""
        return Health(True, "rules of the directives")
