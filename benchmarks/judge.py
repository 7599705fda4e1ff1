"""What judging costs: requests by rules and scorer, beside reading the same requests as JSON.

`python benchmarks/judge.py`: milliseconds of one thread, the best of several rounds, and the
ratio to validating the request documents in the same run. The goal is 1 ms a request.
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


def main() -> None:
    """Print a line for each kind of judgement."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    requests(rounds)


if __name__ == "__main__":
    main()
