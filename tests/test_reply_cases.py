"""Replies labelled for testing alone, whole mails with headers, pages and attachments.

`python -m pytest tests/test_reply_cases.py` prints the figures. Each file was measured once as it
came, before anything was mended after it; what is printed now are regression figures, but for the
last file, of which nothing was learnt except two refusals that were none.

| file | replies | first pass: right, accept recall, false accepts |
|---|---|---|
| replies-1 | 273 | 89.7 %, 71.4 %, 0 |
| replies-2 | 244 | 89.3 %, 74.4 %, 0 |
| replies-3 | 237 | 85.7 %, 74.4 %, 2 (« merci de m'envoyer … ») |
| replies-4 | 261 | 92.0 %, 84.7 %, 0 |
| replies-5 | 160 | 91.3 %, 83.9 %, 0 |
| replies-6, chatty clients | 226 | 72.1 %, 31.7 %, 0 |
| replies-7, chatty, of many countries | 205 | 81.0 %, 54.2 %, 0 |
| replies-8 | 256 | 92.6 %, 86.0 %, 0 |
| replies-9, 207 acceptances that are none | 267 | 74.2 %, 20.0 %, 3 (a price or an object told as news) |
| replies-10 | 250 | 94.4 %, 89.7 %, 0 |
| replies-11, unusual wordings | 263 | 87.5 %, 63.9 %, 0 |
| replies-12, unusual wordings | 280 | 85.4 %, 61.3 %, 0 |
| replies-13 | 280 | 92.9 %, 78.5 %, 0 |
| replies-14 | 302 | 90.4 %, 78.5 %, 0 |
| replies-15 | 260 | 91.5 %, 83.6 %, 0 |

So of mails that nobody here has seen, expect 90 to 94 % right and 78 to 90 % of the usual
acceptances read, fewer of chatty clients; the rest goes to a person. The goals of 97 % and 90 %
are not reached on them. There was no false acceptance in the last twelve files but the one that
was written to bring some about.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from figsupport import evaluation
from figsupport.services import Services

#: thousands of replies, that prove the language and not the branches of the code
pytestmark = pytest.mark.no_cover
FOLDER = Path(__file__).parent / "cases"
#: file → what is asked of it for now where that is less than 97 % right and 90 % recall
FLOORS = {
    "replies-6": (0.85, 0.59),
    "replies-7": (0.87, 0.66),
    "replies-9": (0.80, 0.25),
    "replies-11": (0.96, 0.86),
    "replies-12": (0.94, 0.84),
}
FILES = sorted(FOLDER.glob("replies-*.jsonl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_labelled_replies_are_read_right(
    path: Path, services: Services, say: Callable[[str], None]
) -> None:
    report = evaluation.evaluate(evaluation.read_cases(path, services), services)
    wrong = [case["id"] for case in report["wrong"]]
    say(
        f"{path.stem}: {report['cases']} replies, right {report['accuracy']:.1%}, accept recall "
        f"{report['accept_recall']:.1%}, false accepts {report['false_accepts']}; wrong: {wrong}"
    )
    assert report["cases"] >= 150
    assert report["false_accepts"] == []
    right, recall = FLOORS.get(path.stem, (0.97, 0.90))
    assert report["accuracy"] >= right
    assert report["accept_recall"] >= recall
