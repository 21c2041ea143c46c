"""Run as `python requirements/audit.py PIP_AUDIT`: known vulnerabilities of what the lock files of the product pin.

Skips, and says so, where the package index has no vulnerability data (a mirror, or no network).
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = [ROOT / "requirements" / "dev.txt", *sorted(ROOT.glob("layers/*/requirements.txt"))]
IGNORED: dict[str, str] = {}  # id of a vulnerability → why it does not concern us


def main(pip_audit: str) -> int:
    command = [pip_audit, "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    for lock in LOCKS:
        command += ["--requirement", str(lock)]
    for known in IGNORED:
        command += ["--ignore-vuln", known]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)  # noqa: S603 (of the Makefile)
    except subprocess.TimeoutExpired:
        print("pip-audit skipped: the index did not answer within 5 minutes")
        return 0
    if not done.stdout.strip():
        print(f"pip-audit skipped: {(done.stderr.strip() or 'it said nothing').splitlines()[-1]:.300}")
        return 0
    found = json.loads(done.stdout)["dependencies"]
    bad = [
        (one["name"], one["version"], hit["id"], hit["fix_versions"]) for one in found for hit in one.get("vulns", ())
    ]
    for name, version, known, fixed in bad:
        print(f"{name} {version}: {known}, fixed in {', '.join(fixed) or 'no version'}")
    audited = [one for one in found if "skip_reason" not in one]
    if not audited:
        print(f"pip-audit skipped: {found[0]['skip_reason']}")
    else:
        print(f"pip-audit: {len(audited)} of {len(found)} packages audited, {len(bad)} vulnerabilities")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
