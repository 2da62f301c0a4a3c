"""``facealign serve``: a local page to try the models on. Needs the extra ``serve`` (Gradio)."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from facealign.errors import FaceAlignError
from facealign.inference.model_file import SHIPPED
from facealign.inference.serve.hosts import Hosts, page_address
from facealign.inference.serve.scratch import Scratch

_FORM = 64 << 10  # bytes that a form adds to an image
_HEAD = 20.0  # seconds for a request's head, and for what is left of a refused one
_SHUTDOWN = 5  # seconds for what is being answered


def launch(
    port: int,
    open_browser: bool = True,
    models: Path = SHIPPED,
    host: str = '127.0.0.1',
    allow_hosts: Sequence[str] = (),
) -> None:
    """Open the page and serve it until interrupted, terminated or hung up; nothing is kept then.

    Args:
        port: of the page; 0 takes a free one.
        open_browser: whether to open a window with it.
        models: folder of the model files to choose from.
        host: address or name to listen at. Requests must name it; one of all
            addresses (0.0.0.0) is reached by any, and by this machine's name.
        allow_hosts: more names by which the page may be asked for.

    Raises:
        FaceAlignError: Gradio is not installed, the port is taken, or there is no model.
    """
    listener = _listen(host, port)
    _exit_on_signals()
    scratch = Scratch()
    try:
        _serve(listener, scratch, Hosts.of(host, allow_hosts), models, host, open_browser)
    except KeyboardInterrupt:
        pass  # how it is meant to end
    finally:
        for number in _signals(signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # a second one must not stop the tidying
        scratch.close()
        listener.close()


def _serve(
    listener: socket.socket, scratch: Scratch, hosts: Hosts, models: Path, host: str, open_browser: bool
) -> None:
    # Before Gradio is loaded: it would ask its makers' server for news, and keep uploads elsewhere.
    os.environ.update(GRADIO_ANALYTICS_ENABLED='False', GRADIO_TEMP_DIR=str(scratch.path), HF_HUB_OFFLINE='1')
    try:
        import fastapi
        import gradio as gr
        import uvicorn
    except ImportError as error:
        raise FaceAlignError('serve: Gradio is not installed; pip install "facealign[serve]"') from error
    from facealign.inference.serve.guard import Guard, Limits
    from facealign.inference.serve.page import MAX_BYTES, build, find_models

    page = build(gr, find_models(models), scratch)
    app = gr.mount_gradio_app(
        fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        path='/',
        max_file_size=MAX_BYTES,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        # Fonts of the reader's own system: the default theme fetches some.
        theme=gr.themes.Default(font=['system-ui', 'sans-serif'], font_mono=['ui-monospace', 'monospace']),
    )
    page.has_launched = True  # else Gradio takes files from anywhere on the disk
    guard = Guard(app, hosts, scratch, Limits(upload=MAX_BYTES + _FORM))
    config = uvicorn.Config(
        guard,
        http='h11',
        ws='none',
        log_level='error',
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN,
    )
    address = page_address(host, listener.getsockname()[1])
    _server(uvicorn.Server)(config, address, open_browser).run(sockets=[listener])


def _server(base: type) -> type:
    """Uvicorn's server, imported no earlier than needed, with what it lacks."""

    class Server(base):  # type: ignore[misc]
        def __init__(self, config: Any, address: str, open_browser: bool) -> None:
            super().__init__(config)
            self._address, self._open_browser = address, open_browser

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            if hasattr(signal, 'SIGHUP') and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                signal.signal(signal.SIGHUP, lambda *_: self.handle_exit(signal.SIGTERM, None))
            await super().startup(sockets)
            print(f'The page is at {self._address} (Ctrl-C ends it)', flush=True)
            if self._open_browser:
                webbrowser.open(self._address)

        async def on_tick(self, counter: int) -> bool:
            if counter % 10 == 0:
                self._close_slow_connections()
            return bool(await super().on_tick(counter))

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            self.config.app.close()
            await super().shutdown(sockets)

        def _close_slow_connections(self) -> None:
            """Close those that have not come to a request: uvicorn waits for its head without end."""
            now = time.monotonic()
            for connection in list(self.server_state.connections):
                cycle = connection.cycle
                if cycle is not None and not cycle.response_complete:
                    connection.waits_since = None
                elif getattr(connection, 'waits_since', None) is None:
                    connection.waits_since = now
                elif now - connection.waits_since > _HEAD:
                    connection.transport.abort()

    return Server


def _listen(host: str, port: int) -> socket.socket:
    name = host.strip('[]')
    try:
        kind, *_, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        both = kind == socket.AF_INET6 and name == '::' and socket.has_dualstack_ipv6()
        return socket.create_server((address[0], port), family=kind, backlog=128, dualstack_ipv6=both)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = str(getattr(error, 'strerror', None) or error).partition(' (while')[0]
        raise FaceAlignError(
            f'serve: port {port} of {ascii(host)[1:-1]} cannot be used ({reason}); choose another --port or --host'
        ) from error


def _signals(*more: int) -> list[int]:
    return [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, 'SIGHUP') else []), *more]


def _exit_on_signals() -> None:
    """End by an exception, so that what is to be tidied up is; nohup's choice is respected."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    for number in _signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
