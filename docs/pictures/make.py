# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of the cluster's manual: the pages of a real cluster in Chromium, as small WebP files.

Usage: python docs/pictures/make.py
"""

import base64
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SEEN = TOP / "build/ui"
WANTED = {
    "master_light": "cluster_master",
    "app_light": "cluster_application",
    "app_query_dark": "cluster_query",
    "app_executors_pt": "cluster_executors",
    "master_phone": "cluster_phone",
}

sys.path.insert(0, str(TOP / "tests/ui"))


def main() -> None:
    from webdriver import Browser

    test = [sys.executable, "-m", "pytest", "-q", "tests/ui/test_cluster_pages.py"]
    subprocess.run(test, cwd=TOP, check=True)
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile)
        browser.open("data:text/html,<img><canvas>")
        for name, target in WANTED.items():
            data = base64.b64encode((SEEN / f"{name}.png").read_bytes()).decode()
            browser.run("document.images[0].src = arguments[0]", f"data:image/png;base64,{data}")
            browser.wait("return document.images[0].complete && document.images[0].naturalWidth")
            made = browser.run(
                "const i = document.images[0], c = document.querySelector('canvas');"
                "c.width = i.naturalWidth; c.height = i.naturalHeight;"
                "c.getContext('2d').drawImage(i, 0, 0); return c.toDataURL('image/webp', 0.8)"
            )
            file = TOP / f"docs/pictures/{target}.webp"
            file.write_bytes(base64.b64decode(made.partition(",")[2]))
            print(file.relative_to(TOP), file.stat().st_size)
        browser.close()


if __name__ == "__main__":
    main()
