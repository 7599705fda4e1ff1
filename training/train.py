"""Train the second opinion on requests: `python training/train.py` writes its weights.

Reads `training/requests.txt`, fits one logistic regression for each question (liblinear:
the same data give the same weights), rounds the weights to whole numbers and writes
`src/figsupport/scorer.json`. Needs the extra `train`.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from figsupport.core.scorer import Question, pieces

ROOT = Path(__file__).parents[1]
REQUESTS = ROOT / "training" / "requests.txt"
WEIGHTS = ROOT / "src" / "figsupport" / "scorer.json"
#: Weights are whole numbers of 1/SCALE: coarse, so that the file is small and the same anywhere.
SCALE = 4
_OBJECTS = frozenset({"simple", "standard", "complex", "several"})


#: How strongly the weights may differ from 0.
STRENGTH = 10.0
#: Question → the labels it is asked of. The answer is yes for the label of the same name.
QUESTIONS: dict[Question, frozenset[str]] = {
    "support": _OBJECTS | {"support", "unnamed", "adjust"},
    "unnamed": _OBJECTS | {"unnamed"},
    "simple": _OBJECTS,
    "complex": _OBJECTS,
    "several": _OBJECTS,
}


class Sample(NamedTuple):
    """One labelled request."""

    label: str
    text: str


def samples(path: Path = REQUESTS) -> list[Sample]:
    """Return the labelled requests: label, subject and text."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            label, subject, text = line.split("|")
            found.append(Sample(label, f"{subject}\n{text}"))
    return found


def train(labelled: list[Sample]) -> dict[str, object]:
    """Return the document of weights."""
    heads = {}
    for question, labels in QUESTIONS.items():
        asked = [sample for sample in labelled if sample.label in labels]
        answers = [sample.label == question for sample in asked]
        heads[question] = _fit([sample.text for sample in asked], answers)
    return {"scale": SCALE, "heads": heads}


def _fit(texts: list[str], answers: list[bool]) -> dict[str, object]:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import Normalizer

    vectorizer = CountVectorizer(analyzer=pieces, min_df=2)
    vectors = Normalizer().fit_transform(vectorizer.fit_transform(texts).astype(float))
    model = LogisticRegression(
        C=STRENGTH, solver="liblinear", class_weight="balanced", random_state=0, tol=1e-6
    )
    model.fit(vectors, answers)
    by_weight: dict[int, list[str]] = {}
    for name, weight in zip(vectorizer.get_feature_names_out(), model.coef_[0], strict=True):
        if whole := round(float(weight) * SCALE):
            by_weight.setdefault(whole, []).append(str(name))
    return {"bias": round(float(model.intercept_[0]) * SCALE), "pieces": by_weight}


def written(document: dict[str, object]) -> str:
    """Return the document as it is shipped."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


if __name__ == "__main__":
    text = written(train(samples()))
    WEIGHTS.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{WEIGHTS.relative_to(ROOT)}: {len(text) / 1000:.0f} kB\n")
