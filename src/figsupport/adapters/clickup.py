"""The production board on ClickUp (API v2): subtasks under one parent task.

ClickUp knows no idempotency key: a marker ends each subtask's name, the parent's children are
read before creating, and a create whose answer was lost is looked for, never sent again blindly.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from figsupport.adapters.http import Http, Manners, Patience, Speech, Window
from figsupport.core.events import Listener, deaf
from figsupport.core.model import SubtaskRef
from figsupport.errors import Credentials, FigsupportError, Misconfigured, NotFound
from figsupport.ports import Health, SubtaskDraft

_CUSTOM_ID = re.compile(r"[A-Za-z]+-\d+")
_NAME = 1_000
_REMEDY = {
    401: "Check CLICKUP_API_KEY (it begins with pk_) in Settings › Apps of ClickUp.",
    429: "ClickUp allows 100 calls a minute; `figsupport poll` goes on by itself.",
}
_WORDS = frozenset({"list", "task", "user"})
_PARENT = "Set CLICKUP_PARENT_TASK_ID to the id in the parent task's link, which the key may read."


def open_api(
    key: str,
    base_url: str,
    *,
    patience: Patience = Patience(),  # noqa: B008 — an immutable value
    sleep: Callable[[float], None] = time.sleep,
    hear: Listener = deaf,
) -> Http:
    """Return a connection to ClickUp."""
    headers = {"Authorization": key}
    manners = Manners(_heard, _REMEDY, _window, words=_WORDS)
    return Http("ClickUp", base_url, headers, manners, patience=patience, sleep=sleep, hear=hear)


class ClickUpBoard:
    """See `ports.Board`."""

    def __init__(
        self, http: Http, parent: str, *, assignee: int | None = None, settle: float
    ) -> None:
        """`settle`: seconds after a lost answer during which ClickUp may still apply the call."""
        if _CUSTOM_ID.fullmatch(parent):
            raise Misconfigured(f"CLICKUP_PARENT_TASK_ID={parent} is a custom id", hint=_PARENT)
        self.settle = settle
        self._http, self._parent, self._assignee = http, parent, assignee
        self._list = ""

    @property
    def calls(self) -> int:
        """Return how many calls were made."""
        return self._http.calls

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find_subtask(self, marker: str) -> SubtaskRef | None:
        """Return the child of the parent whose name ends with the marker, or None."""
        return _marked(self._children(), marker)

    def create_subtask(self, draft: SubtaskDraft) -> SubtaskRef:
        """Create a subtask. One call when the list is known, two otherwise."""
        if not self._list:
            self._children()
        body: dict[str, Any] = {
            "name": draft.name[:_NAME],
            "parent": self._parent,
            "markdown_content": draft.body,
            "notify_all": False,
        }
        if self._assignee is not None:
            body["assignees"] = [self._assignee]
        # never repeated: a create whose answer was lost may have been applied
        made = self._told(
            lambda: self._http.send("POST", f"list/{self._list}/task", body, repeatable=False)
        )
        return _ref(made)

    def check(self) -> Health:
        """Read the parent task."""
        try:
            self._children()
        except FigsupportError as error:
            return Health(False, f"{error.message} — {error.hint}")
        return Health(True, f"parent task {self._parent}")

    def _children(self) -> list[dict[str, Any]]:
        """Return the parent's own children, and remember its list."""
        task = self._told(lambda: self._http.get(f"task/{self._parent}", include_subtasks="true"))
        self._list = str(task["list"]["id"])
        found = task.get("subtasks") or []
        return [child for child in found if str(child.get("parent")) == self._parent]

    def _told(self, call: Callable[[], Any]) -> Any:
        """Make a call; tell a wrong id from a wrong key, which ClickUp both calls 401."""
        try:
            return call()
        except NotFound as error:
            raise Misconfigured(error.message, hint=_PARENT) from error
        except Credentials as error:
            try:
                self._http.get("user")
            except FigsupportError:
                raise error from None
            raise Misconfigured(
                f"ClickUp accepts the key but not the task {self._parent}", hint=_PARENT
            ) from error


def _heard(body: Any) -> Speech:
    return Speech(code=str(body.get("ECODE") or ""), message=str(body.get("err") or ""))


def _window(headers: Mapping[str, str], now: float) -> Window | None:
    left, most, reset = (headers.get(f"x-ratelimit-{name}") for name in _LIMITS)
    return Window(int(left), int(most), float(reset) - now) if left and most and reset else None


_LIMITS = ("remaining", "limit", "reset")


def _marked(children: list[dict[str, Any]], marker: str) -> SubtaskRef | None:
    marked = [child for child in children if str(child.get("name", "")).rstrip().endswith(marker)]
    return (
        _ref(min(marked, key=lambda child: str(child.get("date_created", "")))) if marked else None
    )


def _ref(task: dict[str, Any]) -> SubtaskRef:
    return SubtaskRef(id=str(task["id"]), url=str(task.get("url") or ""))
