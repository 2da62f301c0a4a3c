"""A headless Chromium driven over its DevTools pipe: no driver program and no package needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any


def find_chromium() -> str | None:
    """Debian's Chromium, or another of its names."""
    return next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)


class Chromium:
    """One page. Only 127.0.0.1 can be reached; ``outside`` lists what else the page asked for."""

    def __init__(self, program: str, profile: Path, size: str = '1280,1500') -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()

        def place_pipes() -> None:
            # Chromium wants them as 3 and 4; first out of the way, for they may be each other's.
            a, b = os.dup2(to_read, 60), os.dup2(to_write, 61)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self._process = subprocess.Popen(
            [
                program,
                '--headless=new',
                '--no-sandbox',
                '--disable-gpu',
                '--disable-dev-shm-usage',
                '--remote-debugging-pipe',
                f'--user-data-dir={profile}',
                f'--window-size={size}',
                '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
                'about:blank',
            ],
            preexec_fn=place_pipes,
            close_fds=False,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._number, self._rest, self._session = 0, b'', None
        self.outside: set[str] = set()
        target = next(t for t in self.call('Target.getTargets')['targetInfos'] if t['type'] == 'page')
        self._session = self.call('Target.attachToTarget', targetId=target['targetId'], flatten=True)['sessionId']
        self.call('Network.enable')

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = dict(id=self._number, method=method, params=parameters)
        if self._session:
            message['sessionId'] = self._session
        os.write(self._to, json.dumps(message).encode() + b'\0')
        while True:
            answer = self._receive()
            if answer.get('method') == 'Network.requestWillBeSent':
                url = answer['params']['request']['url']
                if not url.startswith(('http://127.0.0.1', 'data:', 'blob:', 'about:')):
                    self.outside.add(url)
            if answer.get('id') == self._number:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]["message"]}')
                return answer['result']

    def evaluate(self, script: str) -> Any:
        return self.call('Runtime.evaluate', expression=script, returnByValue=True)['result'].get('value')

    def wait(self, script: str, seconds: float = 90) -> Any:
        """The value of ``script`` once it is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.evaluate(script):
                return value
            time.sleep(0.2)
        raise TimeoutError(
            f'not so after {seconds} s: {script}; the page says: {self.evaluate("document.body.innerText")}'
        )

    def click(self, script: str) -> None:
        """Click in the middle of the element that ``script`` gives, once it is there."""
        self.wait(f'!!({script})')
        self.evaluate(f'({script}).scrollIntoView({{block: "center"}})')
        x, y = self.evaluate(f'(r => [r.x + r.width / 2, r.y + r.height / 2])(({script}).getBoundingClientRect())')
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def choose_file(self, selector: str, path: Path) -> None:
        root = self.call('DOM.getDocument')['root']['nodeId']
        node = self.call('DOM.querySelector', nodeId=root, selector=selector)['nodeId']
        self.call('DOM.setFileInputFiles', nodeId=node, files=[str(path)])

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call('Page.captureScreenshot')['data']))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._to)
        os.close(self._from)

    def _receive(self) -> dict[str, Any]:
        while b'\0' not in self._rest:
            data = os.read(self._from, 1 << 20)
            if not data:
                raise RuntimeError('Chromium has ended')
            self._rest += data
        message, _, self._rest = self._rest.partition(b'\0')
        return json.loads(message)
