"""The daily commands: requests and tickets. Each parses its options and makes one call."""

from pathlib import Path
from typing import Annotated, Any

import typer

from figsupport.cli.program import Options, command

RequestArgument = Annotated[
    str,
    typer.Argument(
        metavar="REQUEST",
        help="A path, - for standard input, or a JSON object. JSON Lines: many requests.",
    ),
]
Ticket = Annotated[str, typer.Argument(metavar="TICKET", help="The ticket's number.")]


@command
def intake(options: Options, request: RequestArgument) -> Any:
    """Take a request in: classify, store files, open the ticket, estimate, write."""
    from figsupport.commands import requests

    return requests.intake(options, request)


@command
def classify(options: Options, request: RequestArgument) -> Any:
    """Tell SUPPORT from MODELISATION, and why."""
    from figsupport.commands import requests

    return requests.classify(options, request)


@command
def analyze(options: Options, request: RequestArgument) -> Any:
    """Judge completeness, complexity and credits; show the letter it would send."""
    from figsupport.commands import requests

    return requests.analyze(options, request)


@command
def upload(options: Options, request: RequestArgument) -> Any:
    """Fetch the files of a request and store them."""
    from figsupport.commands import requests

    return requests.upload(options, request)


@command
def validate(
    options: Options,
    ticket: Ticket,
    credits_: Annotated[
        int | None, typer.Option("--credits", metavar="N", help="The price in credits.")
    ] = None,
    notes: Annotated[str, typer.Option(help="Notes for the modeller.")] = "",
    reject: Annotated[bool, typer.Option("--reject", help="Refuse the request.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is refused, told to the client.")] = "",
    quote: Annotated[
        bool, typer.Option("--quote", help="Send the client a quote and wait.")
    ] = False,
) -> Any:
    """Accept a request for the client, quote a price, or refuse it (administrators)."""
    from figsupport.commands import tickets as on_tickets

    if reject and (quote or credits_ is not None):
        raise typer.BadParameter("--reject goes with neither --credits nor --quote")
    if not reject and credits_ is None:
        raise typer.BadParameter("--credits N is missing (or --reject)")
    if reject:
        return on_tickets.validate(options, ticket, "reject", 0, reason)
    return on_tickets.validate(
        options, ticket, "quote" if quote else "accept", credits_ or 0, notes
    )


@command
def poll(
    options: Options,
    interval: Annotated[
        float | None,
        typer.Option(min=1, metavar="SECONDS", help="Keep going, a round every so often."),
    ] = None,
) -> Any:
    """Read clients' replies and go on with unfinished cases (cron)."""
    from figsupport.commands import tickets as on_tickets

    return on_tickets.poll(options, interval)


@command
def tickets(
    options: Options,
    ticket: Annotated[str | None, typer.Argument(metavar="[TICKET]")] = None,
    sent: Annotated[
        bool, typer.Option("--sent", help="I have sent the letters left as drafts.")
    ] = False,
    answered: Annotated[
        bool, typer.Option("--answered", help="I have answered the client by hand.")
    ] = False,
    proof: Annotated[
        bool, typer.Option("--proof", help="The record of the client's acceptance, checked.")
    ] = False,
) -> Any:
    """List the open cases, or tell one case's story."""
    from figsupport.commands import tickets as on_tickets

    if (sent or answered or proof) and ticket is None:
        raise typer.BadParameter(
            "--sent, --answered and --proof tell of one ticket: give its TICKET"
        )
    if proof and ticket is not None:
        return on_tickets.proof(options, ticket)
    return on_tickets.tickets(options, ticket, sent, answered)


@command
def mails(
    options: Options,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[MAIL…]")] = None,
    answered: Annotated[
        bool, typer.Option("--answered", help="I have seen to those listed: they wait no more.")
    ] = False,
) -> Any:
    """Show the mails that belong to no request and wait for a person."""
    from figsupport.commands import tickets as on_tickets

    return on_tickets.mails(options, ids or [], answered)


@command
def reply(
    options: Options,
    ticket: Ticket,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]")] = None,
    eml: Annotated[Path | None, typer.Option("--eml", help="A mail file to deliver.")] = None,
) -> Any:
    """Play the client answering (embedded desk only)."""
    from figsupport.commands import tickets as on_tickets

    if (text is None) == (eml is None):
        raise typer.BadParameter("give a TEXT or --eml FILE, one of them")
    return on_tickets.reply(options, ticket, text, eml)
