# SPDX-License-Identifier: Apache-2.0
"""Chromium through chromedriver's HTTP interface (W3C WebDriver): as much of it as the tests need."""

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request

ARGUMENTS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


class Browser:
    def __init__(self, profile, width=1280, height=900):
        self.base = f"http://127.0.0.1:{self._start()}"
        options = {
            "args": [*ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"],
            "prefs": {"intl.accept_languages": "en-US"},
        }
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "unhandledPromptBehavior": "ignore",
        }
        made = self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self.session = "/" + made["sessionId"]

    session = ""

    def _start(self):
        """Start the driver; one that finds its port taken meanwhile is started again."""
        for _ in range(3):
            self.process = subprocess.Popen(
                ["chromedriver", "--port=0"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for line in self.process.stdout:
                if "successfully on port " in line:
                    return line.rpartition("on port ")[2].strip(" .\n")
            self.process.wait(20)
        raise AssertionError("chromedriver does not start")

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.base}/session{self.session}{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            return json.load(urllib.request.urlopen(request, timeout=60))["value"]
        except urllib.error.HTTPError as e:
            raise AssertionError(e.read().decode()[:2000]) from None

    def open(self, url):
        self.call("POST", "/url", {"url": "about:blank"})
        self.call("POST", "/url", {"url": url})

    def run(self, code, *arguments):
        return self.call("POST", "/execute/sync", {"script": code, "args": list(arguments)})

    def wait(self, code, *arguments, seconds=20):
        """Wait until JavaScript gives something true; return it."""
        end = time.monotonic() + seconds
        while True:
            value = self.run(code, *arguments)
            if value:
                return value
            assert time.monotonic() < end, (
                f"waited for {code}: {self.run('return document.body.innerText')[:500]}"
            )
            time.sleep(0.05)

    def press(self, key):
        action = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.call(
            "POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": action}]}
        )

    def resize(self, width, height):
        self.call("POST", "/window/rect", {"width": width, "height": height})

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def errors(self):
        """What the console says of errors and of refused content."""
        lines = self.call("POST", "/se/log", {"type": "browser"})
        return [line["message"] for line in lines if line["level"] == "SEVERE"]

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(20)
            self.process.stdout.close()
