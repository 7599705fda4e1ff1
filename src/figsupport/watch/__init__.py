"""Who listens to the work: logs, metrics, pings. Nothing of it is imported unless it is set."""

from figsupport.core.events import Listener
from figsupport.services import Services


def attach(services: Services, *, verbose: int = 0) -> None:
    """Let logs, metrics and pings listen, as the settings say; `verbose` logs to a terminal too.

    A command, a server and a worker call it once. `verbose`: 1 logs steps, 2 calls as well.
    """
    settings = services.settings
    listeners: list[Listener] = []
    if settings.figsupport_log != "off" or verbose:
        from figsupport.watch.logs import Log

        listeners.append(Log(as_json=settings.figsupport_log == "json", calls=verbose > 1))
    if settings.figsupport_metrics is not None:
        from figsupport.watch.counting import Counting

        listeners.append(Counting(services, settings.figsupport_metrics))
    if url := settings.secret("FIGSUPPORT_PING_URL"):
        from figsupport.adapters.ping import Ping

        listeners.append(Ping(url, services.warn))
    services.listeners = tuple(listeners)
