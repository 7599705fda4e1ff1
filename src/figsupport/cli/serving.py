"""The command that answers over HTTP."""

from typing import Annotated

import typer

from figsupport.cli.program import Options, command


@command
def serve(
    options: Options,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 5000,
    poll: Annotated[
        float | None,
        typer.Option(min=1, metavar="SECONDS", help="Do a poll round every so often, too."),
    ] = None,
) -> None:
    """Answer webhooks and the public form over HTTP (needs the extra `serve`)."""
    from figsupport import server

    server.serve(options, server.Listen(host, port, poll))
