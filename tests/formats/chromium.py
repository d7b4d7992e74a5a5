"""A real Chromium for tests of pages: started headless, spoken to over a pipe (the DevTools protocol, one JSON message
after another, each ended by a zero byte). No port is opened, and nothing beyond the standard library is needed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any, Final, Self

BINARY: Final = next(filter(None, map(shutil.which, ("/usr/bin/chromium", "chromium", "chromium-browser"))), None)

# The two ends must be the descriptors 3 and 4 of the browser, whatever they are here.
_SHIM: Final = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_METRICS: Final = "JSON.stringify([document.documentElement.scrollWidth, document.documentElement.clientWidth])"


class Chromium:
    """One browser with one page. `seen` collects the page's requests, console messages and errors."""

    def __init__(self, binary: str, profile: Path) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # Above 10, so that neither is one of the two numbers that the shim overwrites.
        passed = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
        flags = [*_FLAGS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium refuses to start as root with it; the page is our own
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SHIM, *map(str, passed), binary, *flags, "about:blank"],
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (theirs_in, theirs_out, *passed):
            os.close(end)
        self._in = os.fdopen(ours_in, "rb")
        self._out = os.fdopen(ours_out, "wb", buffering=0)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self._loaded = False
        self.seen: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self._in.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command and wait for its answer; what the browser reports meanwhile is collected."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, path: Path, width: int, media: str = "") -> None:
        """Show a file at a width in CSS pixels, on a screen or in print, and forget what earlier pages did."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", media=media)
        self.seen, self._loaded = [], False
        self.call("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._read()

    def script(self, expression: str) -> Any:  # noqa: ANN401  # whatever the page's JSON holds
        """The value of a JavaScript expression that gives JSON."""
        answer = self.call("Runtime.evaluate", expression=expression)
        assert "exceptionDetails" not in answer, answer
        return json.loads(answer["result"]["value"])

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        content, window = self.script(_METRICS)
        return int(content) - int(window)

    def complaints(self, path: Path) -> list[tuple[str, str]]:
        """Requests for anything but the page itself, console messages, policy violations and uncaught errors."""
        self.script("JSON.stringify(0)")  # whatever was still under way is reported before the answer
        return [found for found in self.seen if found != ("request", path.as_uri())]

    def picture(self) -> bytes:
        """The whole page as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return b64decode(answer["data"])

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._in.fileno(), 1 << 16)
            assert piece, "the browser has gone"
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        params = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.seen.append(("request", params["request"]["url"]))
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.seen.append((str(message["method"]), json.dumps(params)))
        return message
