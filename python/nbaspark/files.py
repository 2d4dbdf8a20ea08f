# SPDX-License-Identifier: Apache-2.0
"""Files that come with a job: by ``nbaspark-submit --files``, `SparkContext.addFile`, `SparkSession.addArtifacts`.

In one process they are links in a folder that ends with the process; archives are unpacked there.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SparkFiles"]

_PACKAGES = (".zip", ".egg", ".jar")


class SparkFiles:
    """Finds files that came with the job."""

    @classmethod
    def get(cls, filename: str) -> str:
        """Return the path of a file by its plain name."""
        return os.path.abspath(os.path.join(cls.getRootDirectory(), filename))

    @classmethod
    def getRootDirectory(cls) -> str:
        """Return the folder that holds the files."""
        return os.environ.get("NBASPARK_FILES", os.getcwd())


def local_path(name: str) -> str:
    """Return the absolute path that a name or a ``file:`` URI means."""
    return os.path.abspath(name.removeprefix("file://").removeprefix("file:"))


def shared_folder() -> str:
    """Return the folder of the job's files, made at the first call."""
    root = os.environ.get("NBASPARK_FILES")
    if root is None:
        import atexit
        import tempfile

        root = os.environ["NBASPARK_FILES"] = tempfile.mkdtemp(prefix="nbaspark-files-")
        atexit.register(_remove, root, os.getpid())
    return root


def _remove(folder: str, owner: int) -> None:
    import shutil

    if os.getpid() == owner:  # a forked child leaves the folder to its parent
        shutil.rmtree(folder, True)


def share(names: Iterable[str]) -> list[str]:
    """Make files known under their plain names; return where they are found."""
    return [_share(local_path(name)) for name in names]


def _share(path: str) -> str:
    target = os.path.join(shared_folder(), os.path.basename(path))
    if not os.path.exists(path):
        raise FileNotFoundError(2, "No such file or directory", path)
    if os.path.lexists(target):
        from filecmp import cmp

        same = os.path.realpath(path) == os.path.realpath(target)
        if not same and (os.path.isdir(path) or not cmp(path, target, shallow=False)):
            from nbaspark.errors import PySparkRuntimeError

            raise PySparkRuntimeError(
                errorClass="DUPLICATED_ARTIFACT", messageParameters={"normalized_path": path}
            )
    else:
        os.symlink(path, target)
    return target


def share_modules(names: Iterable[str]) -> None:
    """Make modules of Python, and archives of them, importable."""
    import importlib
    import sys

    for path in share(names):
        place = path if path.endswith(_PACKAGES) else shared_folder()
        if place not in sys.path:
            sys.path.insert(1, place)
    importlib.invalidate_caches()


def share_archives(names: Iterable[str]) -> None:
    """Unpack archives; ``a.zip#name`` says into which folder, which is else called as the archive."""
    for name in names:
        name, _, alias = name.partition("#")
        path = local_path(name)
        if not os.path.exists(path):
            raise FileNotFoundError(2, "No such file or directory", path)
        _unpack(path, os.path.join(shared_folder(), alias or os.path.basename(path)))


def _unpack(path: str, folder: str) -> None:
    if path.endswith((".zip", ".jar")):
        from zipfile import ZipFile

        with ZipFile(path) as archive:
            archive.extractall(folder)
        return
    import tarfile

    with tarfile.open(path) as archive:
        # what leads out of the folder is refused
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # type: ignore[assignment]
        archive.extractall(folder)
