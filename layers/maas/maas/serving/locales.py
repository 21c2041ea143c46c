"""Locales for onnxruntime's StringNormalizer on systems that have only C.UTF-8, such as Lambda's.

Of a locale it uses the case mapping alone, and C.UTF-8 maps as the languages below do: as Unicode does. Every TF-IDF
that skl2onnx exports asks for en_US.UTF-8.
"""

import ctypes
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

LANGUAGES = (
    *("cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "ja"),
    *("ko", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "uk", "zh"),
)
_SYSTEM_FOLDER = Path("/usr/lib/locale")
_SAME_CASE_MAPPING = ("C.utf8", "C.UTF-8")
_LC_CTYPE_MASK = 1  # of glibc's locale.h


def provide() -> bool:
    """Makes the locales of LANGUAGES known to this process; False if en_US.UTF-8 already is or C.UTF-8 is missing.

    Sets LOCPATH to a folder of links to C.UTF-8: https://man7.org/linux/man-pages/man3/setlocale.3.html
    """
    if sys.platform != "linux" or "LOCPATH" in os.environ or is_known("en_US.UTF-8"):
        return False
    source = next((_SYSTEM_FOLDER / name for name in _SAME_CASE_MAPPING if (_SYSTEM_FOLDER / name).is_dir()), None)
    folder = Path(tempfile.gettempdir()) / f"maas-locales-{os.getuid()}"
    with suppress(OSError):
        if source and _is_own_folder(folder):
            for name in (*LANGUAGES, *_SAME_CASE_MAPPING):
                with suppress(FileExistsError):
                    (folder / name).symlink_to(source)
            os.environ["LOCPATH"] = str(folder)
            return True
    return False


def is_known(name: str) -> bool:
    """Whether a process can use this locale."""
    libc = ctypes.CDLL(None)
    libc.newlocale.restype, libc.newlocale.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    libc.freelocale.restype, libc.freelocale.argtypes = None, (ctypes.c_void_p,)
    found = libc.newlocale(_LC_CTYPE_MASK, name.encode(), None)
    if found:
        libc.freelocale(found)
    return bool(found)


def _is_own_folder(folder: Path) -> bool:
    """Made if it is not there; False for one that another user made under this name."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == os.getuid()
