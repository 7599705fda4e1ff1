"""The workflow over HTTP: webhooks, a public form, health. Needs the extra `serve`."""

from typing import NamedTuple

from figsupport.commands.answers import Options
from figsupport.errors import Misconfigured


class Listen(NamedTuple):
    """Where to listen, and every how many seconds to do a poll round (None: on request only)."""

    host: str = "127.0.0.1"
    port: int = 5000
    poll: float | None = None


def serve(options: Options, listen: Listen) -> None:
    """Answer until stopped. Raises Misconfigured before listening."""
    try:
        import fastapi  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise Misconfigured(
            f"`serve` needs the package {error.name}, which is not installed",
            hint="Install it: pip install 'figsupport[serve]'",
        ) from None
    from figsupport.server.running import run

    run(options, listen)
