"""What judging costs: requests by rules and scorer, replies by the grammar.

`python -m benchmarks.judge`: milliseconds of one thread, the best of several rounds, and the ratio
to reading the same documents and mails in the same run. The goals are 1 ms a request, 5 ms a reply.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from figsupport import directives
from figsupport.core.classify import classify
from figsupport.core.model import FileFact, FileRef, Request
from figsupport.core.pricing import analyze

ROOT = Path(__file__).parents[1]


def best(work: Callable[[], object], rounds: int) -> float:
    """Return the seconds of the fastest round."""
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return min(spent)


def requests(rounds: int) -> None:
    """Print what a request costs: the labelled ones of the tests."""
    import json

    rules = directives.load(directives.default_folder())
    payloads = [
        json.loads(line)["payload"]
        for path in sorted((ROOT / "tests" / "cases").glob("requests*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for payload in payloads:
        payload["fichiers"] = [FileRef(name=name) for name in payload["fichiers"]]

    def read() -> list[Request]:
        return [Request.model_validate(payload) for payload in payloads]

    known = read()
    grid = rules.grid
    facts = [[FileFact(name=f.name, kind=grid.kind_of(f.name)) for f in r.fichiers] for r in known]

    def judge() -> None:
        for request, files in zip(known, facts, strict=True):
            if classify(request, rules).type == "MODELISATION":
                analyze(request, files, rules)

    began = time.perf_counter()
    classify(known[0], rules)  # reads the weights and prepares the phrases
    first = time.perf_counter() - began
    rival, ours = best(read, rounds), best(judge, rounds)
    each = ours / len(known) * 1e3
    print(
        f"{'requests':12}{len(known):6}{each:9.3f} ms each{ours / rival:9.1f} × reading"
        "  goal ≤ 1 ms"
    )
    print(f"{'the first':12}{'':6}{first * 1e3:9.0f} ms")


def replies(rounds: int) -> None:
    """Print what a reply costs: the answers of the tests, in every layout in turn."""
    from email import message_from_string

    from tests.layouts import HTML, TEXT
    from tests.phrasings import phrasings
    from tests.test_replies import CLIENT, QUOTE
    from tests.values import NOW

    from figsupport.core.model import Message
    from figsupport.core.replies import read

    words = directives.load(directives.default_folder()).replies
    texts = [one.text for one in phrasings("phrasings_tuned.txt")]
    layouts = [*TEXT.values(), *HTML.values()]
    mails = []
    for number, text in enumerate(texts):
        laid = layouts[number % len(layouts)](text)
        is_page = number % len(layouts) >= len(TEXT)
        body = {"html": laid} if is_page else {"text": laid}
        mails.append(Message(id=str(number), sender=CLIENT, sent_at=NOW, **body))
    raw = [f"Subject: devis\n\n{mail.text or mail.html}" for mail in mails]

    def judge() -> None:
        for mail in mails:
            read(mail, QUOTE, CLIENT, "Jean Dupont", words)

    def parse() -> None:
        for mail in raw:
            message_from_string(mail)

    rival, ours = best(parse, rounds), best(judge, rounds)
    each = ours / len(mails) * 1e3
    print(
        f"{'replies':12}{len(mails):6}{each:9.3f} ms each{ours / rival:9.1f} × reading  goal ≤ 5 ms"
    )


def main() -> None:
    """Print a line for each kind of judgement."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    requests(rounds)
    replies(rounds)


if __name__ == "__main__":
    main()
