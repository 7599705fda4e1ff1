"""ClickUp API v2 as its users meet it: children, markers, 429 APP_002, 401 for wrong ids."""

import time
from typing import Any

from .server import StandIn

KEY = "pk_good"
PARENT = "86parent"


class ClickUp(StandIn):
    """One team, one list, one parent task that the key may read."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, dict[str, Any]] = {
            PARENT: {"id": PARENT, "name": "Production", "parent": None, "list": {"id": "901"}}
        }
        self.remaining = 100

    def children(self) -> list[dict[str, Any]]:
        """The parent's own subtasks."""
        return [task for task in self.tasks.values() if task["parent"] == PARENT]

    def refuse(self, status: int) -> tuple[int, Any, dict[str, str]]:
        if status == 429:
            headers = {"Retry-After": "0", "X-RateLimit-Remaining": "0"}
            return 429, {"err": "Rate limit reached", "ECODE": "APP_002"}, headers
        return status, {"err": "Oops", "ECODE": "ITEM_001"}, {}

    def handle(
        self, method: str, path: str, query: dict[str, str], body: Any, headers: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if headers.get("Authorization") != KEY:  # raw, no « Bearer »
            return 401, {"err": "Token invalid", "ECODE": "OAUTH_025"}, {}
        limits = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": str(self.remaining)}
        limits["X-RateLimit-Reset"] = str(int(time.time()) + 1)
        match method, path.strip("/").split("/"):
            case "GET", ["user"]:
                return 200, {"user": {"id": 1}}, limits
            case "GET", ["task", task_id] if task_id in self.tasks:
                return 200, self._with_children(task_id, query), limits
            case "POST", ["list", "901", "task"] if body and body.get("name"):
                return 200, self._create(body), limits
            case _:
                return 401, {"err": "Team not authorized", "ECODE": "OAUTH_027"}, limits

    def _with_children(self, task_id: str, query: dict[str, str]) -> dict[str, Any]:
        task = dict(self.tasks[task_id])
        if query.get("include_subtasks") == "true":  # all descendants, flattened
            task["subtasks"] = [
                {key: value for key, value in other.items() if key != "markdown_content"}
                for other in self.tasks.values()
                if other["parent"] is not None
            ]
        return task

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        number = f"86task{len(self.tasks)}"
        made = {
            **body,
            "id": number,
            "url": f"https://app.clickup.com/t/{number}",
            "list": {"id": "901"},
            "date_created": str(len(self.tasks)),
        }
        self.tasks[number] = made
        return made
