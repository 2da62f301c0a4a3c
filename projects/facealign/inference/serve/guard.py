"""ASGI middleware around the page: what it refuses before Gradio sees it, one line each."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facealign.errors import printable
from facealign.inference.serve.hosts import Hosts
from facealign.inference.serve.scratch import OVERHEAD, Scratch

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_API = '/gradio_api'
_UPLOAD, _JOIN = f'{_API}/upload', f'{_API}/queue/join'
# All that the page posts. Gradio has more, such as editing the page's own code.
_POSTS = (_UPLOAD, _JOIN, f'{_API}/cancel', f'{_API}/reset')
# What would fetch from elsewhere, or keep something.
_CLOSED = (f'{_API}/proxy=', f'{_API}/deep_link', f'{_API}/stream', f'{_API}/run', '/monitoring')
_LONGEST = 300  # characters of a line
_FILES = (f'{_API}/file=', f'{_API}/file/')


@dataclass(frozen=True)
class Limits:
    """Bytes and seconds.

    Attributes:
        upload: of one upload's body.
        request: of any other request's body.
        total: of all uploads on their way or waiting, on disk and in memory.
        pause: between two pieces of a body.
        whole: for a body.
    """

    upload: int
    request: int = 256 << 10
    total: int = 256 << 20
    pause: float = 10
    whole: float = 120


class Refused(Exception):
    """A request that is not worked on: HTTP status, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Guard:
    """Lets through what the page itself asks for, in bounds; answers the rest itself."""

    def __init__(self, app: App, hosts: Hosts, scratch: Scratch, limits: Limits) -> None:
        self._app, self._hosts, self._scratch, self._limits = app, hosts, scratch, limits
        self._arriving = 0  # bytes of the bodies that are on their way
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End the streams to open windows, which have no end of their own: to the application their clients leave."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope['type'] == 'lifespan':
            await self._app(scope, receive, send)
        elif scope['type'] == 'http':
            await self._http(scope, receive, send)
        else:  # the page has no WebSocket
            log(f'refused {scope["type"]} {scope["path"]}')
            await send({'type': 'websocket.close', 'code': 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            size = self._check(scope)
            reserved = size + OVERHEAD if size else 0
            self._arriving += reserved
            try:
                body = _Body(receive, size, self._limits, self._closing)
                if scope['path'].rstrip('/') == _JOIN:
                    await self._join(scope, body, answer)
                else:
                    await self._pass(scope, body, answer)
            finally:
                self._arriving -= reserved
        except Refused as refusal:
            log(f'refused {_request(scope)}: {refusal}')
            await answer.refuse(refusal)
        except Exception as error:
            log(f'{_request(scope)} failed: {one_line(error)}')
            await answer.refuse(Refused(500, 'This request could not be worked on'))

    def _check(self, scope: Scope) -> int:
        """The bytes to expect of a request's body; raises Refused by what its head says."""
        headers = {name.decode('latin-1').lower(): value.decode('latin-1') for name, value in scope['headers']}
        fetch = {part: headers.get(f'sec-fetch-{part}') for part in ('site', 'mode', 'dest')}
        reason = self._hosts.refusal(headers.get('host'), headers.get('origin'), fetch)
        if reason is not None:
            raise Refused(403, reason)
        path = scope['path']
        if scope['method'] in ('GET', 'HEAD', 'OPTIONS'):
            self._check_path(path)
            return 0
        if scope['method'] != 'POST' or path.rstrip('/') not in _POSTS:
            raise Refused(404, 'the page has no such thing')
        most = self._limits.upload if path.rstrip('/') == _UPLOAD else self._limits.request
        length = headers.get('content-length')
        size = most if length is None else int(length[:20])
        if size > most:
            raise Refused(413, f'larger than {most >> 10} KiB')
        if path.rstrip('/') == _UPLOAD and self._arriving + self._scratch.size() + size + OVERHEAD > self._limits.total:
            raise Refused(503, 'too many uploads are waiting; try again in a minute')
        return size

    def _check_path(self, path: str) -> None:
        if path.startswith(_CLOSED):
            raise Refused(404, 'the page has no such thing')
        for prefix in _FILES:
            if path.startswith(prefix) and not self._scratch.holds(path.removeprefix(prefix)):
                raise Refused(403, 'not a file of the page')

    async def _join(self, scope: Scope, body: _Body, answer: _Answer) -> None:
        """Pass on a request to work on an upload, which is kept until then."""
        data = await body.read()
        try:
            paths = list(_paths(json.loads(data)))
        except (ValueError, RecursionError):
            raise Refused(400, 'not JSON') from None
        if not all(self._scratch.holds(path) for path in paths):
            raise Refused(403, 'not a file of the page')
        for path in paths:
            self._scratch.expect(path)
        await self._pass(scope, body, answer)
        if answer.status != 200:
            for path in paths:
                self._scratch.answered(path)

    async def _pass(self, scope: Scope, body: _Body, answer: _Answer) -> None:
        """Pass on a request; raises Refused if its body was, whatever the application made of that."""
        answer.body = body
        try:
            await self._app(scope, body.receive, answer.send)
        except Exception:
            if body.refusal is None and not body.left:
                raise
        if body.refusal is not None:
            raise body.refusal
        if self._closing.is_set():
            await answer.complete()


class _Body:
    """A request's body, piece by piece: bounded in bytes and seconds. To the application a refused one breaks off."""

    def __init__(self, receive: Receive, size: int, limits: Limits, closing: asyncio.Event) -> None:
        self._receive, self._left, self._limits, self._closing = receive, size, limits, closing
        self._end = time.monotonic() + limits.whole
        self._whole = False
        self._again: list[Message] = []
        self.refusal: Refused | None = None
        self.left = False  # the client has gone

    async def receive(self) -> Message:
        if self._again:
            return self._again.pop(0)
        if self._whole:
            return await self._departure()
        if self.refusal is None:
            try:
                wait = min(self._limits.pause, self._end - time.monotonic())
                message = await asyncio.wait_for(self._receive(), max(wait, 0))
            except asyncio.TimeoutError:
                self.refusal = Refused(408, 'its body came too slowly')
            else:
                self._left -= len(message.get('body', b''))
                self.left = message['type'] == 'http.disconnect'
                self._whole = not message.get('more_body', False)
                if self._left >= 0:
                    return message
                self.refusal = Refused(413, 'larger than it said')
        return {'type': 'http.disconnect'}

    async def _departure(self) -> Message:
        """What follows a whole body: the client leaves, or the server ends."""
        waits = [asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._closing.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return {'type': 'http.disconnect'}

    async def read(self) -> bytes:
        """All of it; the application receives it again."""
        messages = []
        while not self._whole:
            messages.append(await self.receive())
            if self.refusal is not None:
                raise self.refusal
        self._again = messages
        return b''.join(message.get('body', b'') for message in messages)


class _Answer:
    """The response: its status, and room for a refusal as long as none was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.body: _Body | None = None
        self._open = False

    async def send(self, message: Message) -> None:
        if self.body is not None and self.body.refusal is not None and self.status is None:
            return  # the application's view of a body that broke off
        if message['type'] == 'http.response.start':
            self.status = message['status']
            self._open = True
        elif message['type'] == 'http.response.body':
            self._open = message.get('more_body', False)
        await self._send(message)

    async def complete(self) -> None:
        """End a stream that the application has left."""
        if self._open:
            await self.send({'type': 'http.response.body', 'body': b''})

    async def refuse(self, refusal: Refused) -> None:
        if self.status is not None:
            return
        self.status = refusal.status
        text = f'{refusal}\n'.encode('utf-8', 'replace')
        headers = [(b'content-type', b'text/plain; charset=utf-8'), (b'content-length', str(len(text)).encode())]
        await self._send({'type': 'http.response.start', 'status': refusal.status, 'headers': headers})
        await self._send({'type': 'http.response.body', 'body': text})


def log(message: str) -> None:
    """One short line on stderr."""
    text = message if len(message) <= _LONGEST else f'{message[:_LONGEST]}…'
    print(f'page: {printable(text)}', file=sys.stderr, flush=True)


def one_line(error: BaseException) -> str:
    """An unexpected error: what, and where."""
    [*_, frame] = traceback.extract_tb(error.__traceback__) or [None]
    where = f' ({Path(frame.filename).name}:{frame.lineno})' if frame is not None else ''
    return f'{type(error).__name__}: {error}{where}'


def _request(scope: Scope) -> str:
    client = (scope.get('client') or ['?'])[0]
    return f'{scope["method"]} {scope["path"]} from {client}'


def _paths(value: Any) -> Iterator[str]:
    """The paths of all files that a request names."""
    if isinstance(value, dict):
        if isinstance(value.get('path'), str):
            yield value['path']
        for inner in value.values():
            yield from _paths(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner)
