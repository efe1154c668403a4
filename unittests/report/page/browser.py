"""Headless Chromium over a pipe: messages of its debugging protocol are JSON that ends with a zero byte."""

import json
import os
import shutil
import subprocess
import tempfile


class Browser:
    """One tab.

    Attributes:
        console: what the page said, errors and refusals of the policy among it.
    """

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        assert program, "chromium is not installed; make test-browser needs it (apt-get install chromium)"
        self._folder = tempfile.TemporaryDirectory()
        ours, theirs = os.pipe(), os.pipe()
        # The protocol's file descriptors are 3 and 4, which the shell makes of the pipes' ends.
        hand_over = f'exec "$@" 3<&{ours[0]} 4>&{theirs[1]}'
        self._process = subprocess.Popen(
            ["bash", "-c", hand_over, "bash", program, "--headless", "--no-sandbox", "--disable-gpu",
             "--remote-debugging-pipe", "--no-first-run", f"--user-data-dir={self._folder.name}", "about:blank"],
            pass_fds=(ours[0], theirs[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(ours[0])
        os.close(theirs[1])
        self._to, self._from = os.fdopen(ours[1], "wb", buffering=0), os.fdopen(theirs[0], "rb", buffering=0)
        self._number, self._rest, self._session, self.console, self._loaded = 0, b"", "", [], False
        tabs = self.call("Target.getTargets")["targetInfos"]
        tab = next(one["targetId"] for one in tabs if one["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(timeout=20)
        self._to.close()
        self._from.close()
        self._folder.cleanup()

    def call(self, method, **arguments):
        """The answer to one command."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": arguments}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url):
        """Load a page and wait until it is there."""
        self._loaded = False
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._next()

    def evaluate(self, expression):
        """The value of an expression of JavaScript in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def _next(self):
        while b"\0" not in self._rest:
            more = os.read(self._from.fileno(), 1 << 16)
            assert more, "the browser has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(line)
        kind = message.get("method", "")
        if kind in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.console.append(message["params"])
        self._loaded = self._loaded or kind == "Page.loadEventFired"
        return message
