"""The server of the studio, from its start to Ctrl-C."""

from __future__ import annotations

import json
import logging
import socket
import threading
import urllib.request
import webbrowser

import uvicorn

from seqmusic.errors import RequestError
from seqmusic.studio.app import PREFIX, make_app
from seqmusic.studio.settings import HOST, StudioSettings
from seqmusic.studio.state import Studio

_SHUTDOWN_SECONDS = 1
logger = logging.getLogger(__name__)


def serve(settings: StudioSettings, *, opens_browser: bool = True) -> None:
    """Serve the page until Ctrl-C.

    Args:
        settings: port 0 stands for any free one.
        opens_browser: whether the page is opened.

    Raises:
        RequestError: the port is in use.
        CheckpointError: there is no such model.
    """
    app = make_app(settings)
    with open_listener(settings.port) as listener:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            server_header=False,
            limit_concurrency=200,
            ws="none",
        )
        _Server(config, app.state.studio, opens_browser=opens_browser).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says where it is once it is ready."""

    def __init__(self, config: uvicorn.Config, studio: Studio, *, opens_browser: bool) -> None:
        super().__init__(config)
        self._studio = studio
        self._opens_browser = opens_browser

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say the address and open the page."""
        await super().startup(sockets)
        if self.should_exit or not sockets:
            return
        await self._studio.warm_up()
        address = f"http://{HOST}:{sockets[0].getsockname()[1]}/"
        logger.info(f"The studio is at {address}  (Ctrl-C ends it)")
        if self._opens_browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()


def open_listener(port: int) -> socket.socket:
    """A socket that listens on a port of the loopback address; on any free one for 0.

    Raises:
        RequestError: the port is in use.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if _is_studio(port):
            raise RequestError(
                f"a studio is running already at http://{HOST}:{port}/; open that page, or start "
                f"another one with --port {port + 1}"
            ) from error
        raise RequestError(
            f"port {port} is in use by another program; choose another one, such as "
            f"--port {port + 1}"
        ) from error
    return listener


def _is_studio(port: int) -> bool:
    """Whether the program at a port of this machine is a studio."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}{PREFIX}/health", timeout=1) as response:
            found = json.loads(response.read(1000))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("name") == "seqmusic studio"
