"""Three days of the office and their aftermath; `make month` plays the whole month."""

from collections.abc import Callable

import pytest

from figsupport.core import plan, progress

from .month import play, report


def test_after_some_weeks_every_case_is_where_its_client_brought_it(
    say: Callable[[str], None],
) -> None:
    world, wrong = play(days=3, requests=30, seed=3)
    say("\n".join(report(world)))
    assert wrong == []


def test_the_books_notice_a_second_reminder_on_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "was_reminded", lambda *_: False)
    _, wrong = play(days=1, requests=40, seed=3)
    assert any("2 reminders on" in line for line in wrong), wrong


def test_the_books_notice_a_letter_at_night(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server that comes back at night finds the letters of the afternoon."""
    monkeypatch.setattr(plan, "_is_held", lambda *_: False)
    _, wrong = play(days=3, requests=20, seed=3)
    assert any("left on" in line for line in wrong), wrong
