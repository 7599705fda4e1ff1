"""What the directives say, as values. Read by `directives/`, used by the judges. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from figsupport.core.calendar import Delays
from figsupport.core.keeping import FOR_EVER, Retention
from figsupport.core.model import Complexity, Kind, Language, LetterKind, RequestType
from figsupport.core.scorer import NO_OPINION, Scorer
from figsupport.core.wordings import Tiles, Wording, spelled_out, words_of
from figsupport.core.words import Phrases, singular, words

Strength = Literal["fort", "faible"]


@dataclass(frozen=True)
class TypeWords:
    """Words that tell SUPPORT from MODELISATION, strong or weak, and sources that hint.

    `delivered` speaks of a model that is delivered or ordered already, `wishes` asks for
    another one all the same.
    """

    strong: Mapping[RequestType, tuple[str, ...]]
    weak: Mapping[RequestType, tuple[str, ...]]
    delivered: tuple[str, ...]
    wishes: tuple[str, ...]
    sources: Mapping[RequestType, tuple[str, ...]]
    orders: tuple[str, ...]

    @cached_property
    def phrases(self) -> Mapping[tuple[RequestType, Strength], Phrases]:
        """The words of each kind, ready to be found."""
        given: dict[tuple[RequestType, Strength], Phrases] = {}
        for type_ in self.strong:
            given[type_, "fort"] = Phrases(self.strong[type_])
            given[type_, "faible"] = Phrases(self.weak[type_])
        return given

    @cached_property
    def delivered_phrases(self) -> Phrases:
        """What is said of a model delivered or ordered already, ready to be found."""
        return Phrases(self.delivered)

    @cached_property
    def wish_phrases(self) -> Phrases:
        """What asks for a new model in so many words, ready to be found."""
        return Phrases(self.wishes)

    @cached_property
    def order_phrases(self) -> Phrases:
        """What a text says to command the program, ready to be found."""
        return Phrases(self.orders)

    @cached_property
    def source_phrases(self) -> Mapping[RequestType, Phrases]:
        """The sources of each kind, ready to be found."""
        return {type_: Phrases(sources) for type_, sources in self.sources.items()}


class Missing(NamedTuple):
    """What may be missing, as it is asked for in French and in English."""

    fr: str
    en: str


@dataclass(frozen=True)
class Grid:
    """The price grid: which objects are of which complexity, prices, usable files.

    `sizes` gives the least and the most metres of an object's longest side.
    """

    objects: Mapping[Complexity, tuple[str, ...]]
    credits: Mapping[Complexity, int | None]
    adjustment_credits: int
    ornaments: tuple[str, ...]
    several: tuple[str, ...]
    counted: tuple[str, ...]
    parts: tuple[str, ...]
    generic: tuple[str, ...]
    extensions: Mapping[str, Kind]
    missing: Mapping[str, Missing]
    sizes: Mapping[str, tuple[float, float]]
    any_size: tuple[float, float]

    def kind_of(self, name: str) -> Kind:
        """Return what a file's name promises it is; only its last extension counts."""
        return self.extensions.get(name.rpartition(".")[2].strip().lower(), "other")

    @cached_property
    def found(self) -> Phrases:
        """Every object's name, ready to be found."""
        return Phrases(name for names in self.objects.values() for name in names)

    @cached_property
    def sized(self) -> Phrases:
        """The names of the objects whose size is known, ready to be found."""
        return Phrases(self.sizes)

    @cached_property
    def complexity_of(self) -> Mapping[str, Complexity]:
        """The complexity of each object by its name."""
        return {name: level for level, names in self.objects.items() for name in names}

    @cached_property
    def ornamented(self) -> Phrases:
        """The words of ornate work, ready to be found."""
        return Phrases(self.ornaments)

    @cached_property
    def many(self) -> Phrases:
        """The words of several objects, ready to be found."""
        return Phrases(self.several)

    @cached_property
    def part_names(self) -> frozenset[tuple[str, ...]]:
        """The folded words of what is a part of an object rather than another one."""
        return frozenset(words(part) for part in self.parts)

    @cached_property
    def counted_words(self) -> frozenset[str]:
        """The folded singular nouns that a number makes several objects."""
        return frozenset(singular(word) for noun in self.counted for word in words(noun))

    @cached_property
    def generic_words(self) -> frozenset[str]:
        """The folded singular words that name no object."""
        return frozenset(singular(word) for phrase in self.generic for word in words(phrase))


Tile = Literal["accept", "yes", "about", "receipt", "courtesy"]
#: What « Mots qui se valent » calls those who decide, and the house they decide for.
DECIDING = frozenset({"gerant", "societe"})


@dataclass(frozen=True)
class ReplyWords:
    """Wordings and phrases of clients' answers, French and English, folded.

    `yes` is a bare yes, `about` what a yes may be to, `receipt` says that our letter came;
    `fillers` change nothing wherever they stand, `small_words` nothing between words that accept,
    `plain_words` nothing in a clause beside them. `telling` opens a sentence that changes nothing;
    a clause that tells what is or was of a topic changes nothing either, unless it holds a word
    of `matters`; what is `bygone` objects to nothing in what was. `curt_refusals` refuse where
    they are all that a clause says; `describing` words name parts, materials, colours, shapes. A
    denied `ordering` refuses, a denied `doing` beside what is ordered; an object that is gone, a
    project that is over leave nothing to model. `later` delays or promises, `idle` holds words of
    `refuse`, `later`, `ask` or `inform` and means nothing of the kind. `abbreviations` are the
    folded words that each stands for, `alike` the word that each is as good as in an acceptance.
    """

    accept: tuple[Wording, ...]
    yes: tuple[Wording, ...]
    about: tuple[Wording, ...]
    receipt: tuple[Wording, ...]
    courtesy: tuple[Wording, ...]
    fillers: frozenset[str]
    small_words: frozenset[str]
    plain_words: frozenset[str]
    topics: frozenset[str]
    matters: frozenset[str]
    bygone: frozenset[str]
    telling: tuple[Wording, ...]
    refuse: tuple[Wording, ...]
    curt_refusals: frozenset[str]
    later: tuple[Wording, ...]
    objection: tuple[Wording, ...]
    ask: tuple[Wording, ...]
    idle: tuple[Wording, ...]
    inform: tuple[Wording, ...]
    describing: frozenset[str]
    ordering: tuple[Wording, ...]
    doing: tuple[Wording, ...]
    ordered_words: frozenset[str]
    gone_words: frozenset[str]
    over_words: frozenset[str]
    project_words: frozenset[str]
    absence: frozenset[str]
    abbreviations: Mapping[str, tuple[str, ...]]
    alike: Mapping[str, tuple[str, ...]]

    @cached_property
    def meanings(self) -> Mapping[str, tuple[str, ...]]:
        """What a folded word stands for in an acceptance."""
        return {**self.alike, **self.abbreviations}

    @cached_property
    def tiles(self) -> Tiles[Tile]:
        """What an acceptance may be made of."""
        kinds: tuple[Tile, ...] = get_args(Tile)
        return Tiles({kind: self._meant(getattr(self, kind)) for kind in kinds})

    def _meant(self, wordings: Iterable[Wording]) -> list[Wording]:
        """Return wordings with what each word stands for written out; few choices differ."""
        meant: dict[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]] = {}
        for choices in {choices for wording in wordings for choices in wording}:
            meant[choices] = tuple(self.meant(words) for words in choices)
        return [tuple(meant[choices] for choices in wording) for wording in wordings]

    def meant(self, spoken: Sequence[str]) -> tuple[str, ...]:
        """Return folded words with what each stands for written out."""
        if self.meanings.keys().isdisjoint(spoken):
            return tuple(spoken)
        return tuple(meant for word in spoken for meant in self.meanings.get(word, (word,)))

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every folded word of every phrase: none of them is a slip of another."""
        wordings = (
            *self._tiled, *self.telling, *self.refuse, *self.later, *self.objection, *self.ask,
            *self.idle, *self.inform,
        )  # fmt: skip
        single = (*self.fillers, *self.small_words, *self.plain_words, *self.topics, *self.matters)
        return words_of(wordings).union(" ".join((*self.absence, *single)).split())

    @cached_property
    def innocent(self) -> frozenset[str]:
        """Every folded word that may stand in what is only told beside an acceptance."""
        written = words_of((*self._tiled, *self.telling))
        single = (*self.fillers, *self.small_words, *self.plain_words, *self.topics)
        return frozenset(self.meant([*written, *single]))

    @property
    def _tiled(self) -> tuple[Wording, ...]:
        return (*self.accept, *self.yes, *self.about, *self.receipt, *self.courtesy)

    @cached_property
    def agreeing(self) -> frozenset[str]:
        """Every folded word of what agrees: what a slip of the finger may have meant."""
        return words_of((*self.accept, *self.yes, *self.about, *self.receipt))

    @cached_property
    def tellings(self) -> Phrases:
        """What opens a sentence that changes nothing, ready to be found."""
        return Phrases.of(self.telling)

    @cached_property
    def refusals(self) -> Phrases:
        """What refuses, and what only looks so, ready to be found."""
        return Phrases.of(self.refuse, self.idle)

    @cached_property
    def description(self) -> frozenset[str]:
        """The singular of every word that describes an object."""
        return frozenset(map(singular, self.describing))

    @cached_property
    def orderings(self) -> Phrases:
        """What orders, without its negation, ready to be found."""
        return Phrases.of(self.ordering)

    @cached_property
    def doings(self) -> Phrases:
        """What orders only where what is ordered is named, or nothing, ready to be found."""
        return Phrases.of(self.doing)

    @cached_property
    def delays(self) -> Phrases:
        """What delays or promises, and what only looks so, ready to be found."""
        return Phrases.of(self.later, self.idle)

    @cached_property
    def objections(self) -> Phrases:
        """What forbids to read an acceptance, ready to be found."""
        return Phrases.of(self.objection, self.later, self.refuse, self.ask)

    @cached_property
    def questions(self) -> Phrases:
        """What asks, and what only looks so, ready to be found."""
        return Phrases.of(self.ask, self.idle)

    @cached_property
    def facts(self) -> Phrases:
        """What brings information, ready to be found."""
        return Phrases.of(self.inform)

    @cached_property
    def news(self) -> Phrases:
        """What brings information, and what only looks so, ready to be found."""
        return Phrases.of(self.inform, self.idle)

    @cached_property
    def trails(self) -> frozenset[str]:
        """What only looks like a refusal, a delay, a question or information."""
        return frozenset(" ".join(words) for one in self.idle for words in spelled_out(one))


class Template(NamedTuple):
    """A letter: its subject and its body, with $names."""

    subject: str
    body: str


class Tariff(NamedTuple):
    """What a model costs: US dollars for a million tokens in and out."""

    input: float
    output: float


@dataclass(frozen=True)
class Briefing:
    """What a model is told to do with requests and replies, and what each model costs."""

    requests: str
    replies: str
    tariffs: Mapping[str, Tariff]


@dataclass(frozen=True)
class Directives:
    """Everything the business decides, and `weights`: what it decided on requests before."""

    types: TypeWords
    grid: Grid
    replies: ReplyWords
    briefing: Briefing
    delays: Delays
    templates: Mapping[tuple[LetterKind, Language], Template] = field(default_factory=dict)
    weights: str = NO_OPINION
    retention: Retention = FOR_EVER

    @cached_property
    def scorer(self) -> Scorer:
        """The second opinion, read from its weights when it is first asked."""
        return Scorer.parse(self.weights)


_ENGLISH = frozenset(
    "the an and of to is are for with please we would like need our my your you it this that can "
    "could hello hi thanks thank be have has by from at not how what when last send us in new oak "
    "wood wooden walnut brass leather white black small".split()
)
_FRENCH = frozenset(
    "le la les un une des et de du en est sont pour avec merci nous je voudrais souhaite notre "
    "mon ma mes votre vous il elle ce cette peut bonjour par sur dans au aux ne pas que qui svp "
    "d l j ou".split()
)


def language_of(text: str) -> Language:
    """Return the language a client writes in: French unless it is more English."""
    found = words(text)
    english = sum(1 for word in found if word in _ENGLISH)
    french = sum(1 for word in found if word in _FRENCH)
    if not french and "a" in found and text.isascii():  # « à » folds to the same letter
        english += 1
    return "en" if english > french else "fr"
