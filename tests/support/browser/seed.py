"""What the pages show: the demo's digits in two versions with traffic, an export for texts, a rollout, a job, keys."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maas_client import MaasClient
from maas_local.demo.classifiers import Digits, train
from support.exports import small

DIGITS, TEXTS = "digits", "reviews"


@dataclass(frozen=True)
class Seeded:
    """`pages` are paths behind the #, by name."""

    pages: dict[str, str]
    digits: Digits


def seed(maas: MaasClient, folder: Path, seconds: float = 0) -> Seeded:
    """Takes three times these seconds, in which requests come, for pictures that show some time."""
    digits, weak, strong = train(folder)
    maas.models.create(DIGITS, "Handwritten digits of 8 × 8 pixels", {"team": "vision", "tier": "demo"})
    maas.push(weak.path, DIGITS, description=weak.title, alias="production")
    ask(maas, digits, 40, seconds)
    maas.push(strong.path, DIGITS, description=strong.title, alias="staging", tags={"trained": "nightly"})
    given_up = maas.rollouts.start(DIGITS, "production", 2, steps=[10, 50, 100])
    maas.rollouts.abort(DIGITS, given_up.id, "the labels of last week are wrong")
    shadow = {"version": 2, "percent": 50, "compare": "top1"}
    maas.aliases.set(DIGITS, "production", shadow=shadow)
    ask(maas, digits, 40, seconds)
    maas.rollouts.start(DIGITS, "production", 2, steps=[25, 100])
    ask(maas, digits, 20, seconds)
    small.written(small.text_export("text-classification").files, folder / TEXTS)
    maas.push(folder / TEXTS, TEXTS, description="Tells good from bad", tags={"team": "language"}, alias="default")
    maas.classify(TEXTS, ["a good movie", "a terrible film"])
    np.save(folder / "images.npy", digits.images)
    job = maas.batch(DIGITS, folder / "images.npy", "2", select=["label"], wait=True)
    maas.keys.create("shop", [f"infer:{DIGITS}"], requests_per_second=50)
    maas.keys.create("ci", ["models:write", "jobs"])
    maas.keys.revoke(maas.keys.create("left-the-team", ["models:read"]).id)
    of_model = f"/models/{DIGITS}"
    pages = {
        "models": "/",
        "model": of_model,
        "version": f"{of_model}/versions/2",
        "compare": f"{of_model}/compare?a=1&b=2",
        "try": f"{of_model}/try?version=2",
        "try-text": f"/models/{TEXTS}/try",
        "rollouts": f"{of_model}/rollouts?rollout={given_up.id}",
        "metrics": f"{of_model}/metrics",
        "jobs": "/jobs",
        "job": f"/jobs/{job.id}",
        "keys": "/keys",
    }
    return Seeded(pages, digits)


def ask(maas: MaasClient, digits: Digits, requests: int, seconds: float) -> None:
    """At least so many requests, and more until the time is over, of which each second brings others."""
    place, until = 0, time.monotonic() + seconds
    while place < requests or time.monotonic() < until:
        image = digits.images[place % len(digits.images), np.newaxis]
        maas.infer(DIGITS, {"image": image}, version="production", outputs=["label"])
        place += 1
        if seconds:
            time.sleep(0.05 + 0.04 * math.sin(place / 97))
