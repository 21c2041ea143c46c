"""API keys: text form, stored form, comparison."""

import sys
from collections import Counter
from dataclasses import asdict
from types import FrameType
from typing import Any

import pytest

from maas.access import api_keys
from maas.access.api_keys import StoredSecret

NOW, LATER = "2026-01-31T12:00:00.000000Z", "2026-01-31T13:00:00.000000Z"
KEY_ID = "0123456789abcdef"


def made() -> tuple[str, StoredSecret]:
    text, stored = api_keys.new_secret(KEY_ID)
    parsed = api_keys.parse(text)
    assert parsed and parsed.id == KEY_ID
    return parsed.secret, stored


def test_key_has_256_random_bits() -> None:
    (first, _), (second, _) = made(), made()
    assert first != second
    assert len(bytes.fromhex(first)) == 32
    assert api_keys.new_id() != api_keys.new_id()


def test_stored_secret_does_not_reveal_the_text() -> None:
    secret, stored = made()
    assert secret not in str(asdict(stored))
    assert len(bytes.fromhex(stored.digest)) == 32
    _, other = api_keys.new_secret(KEY_ID)
    assert other.salt != stored.salt


def test_only_the_secret_matches() -> None:
    secret, stored = made()
    assert api_keys.matches(secret, [stored], NOW)
    assert not api_keys.matches(made()[0], [stored], NOW)
    assert not api_keys.matches(secret, [], NOW)


def test_any_changed_character_fails() -> None:
    text, stored = api_keys.new_secret(KEY_ID)
    accepted = []
    for index in range(len(text)):
        for bit in range(7):
            changed = text[:index] + chr(ord(text[index]) ^ (1 << bit)) + text[index + 1 :]
            sent = api_keys.parse(changed)
            if sent and sent.id == KEY_ID and api_keys.matches(sent.secret, [stored], NOW):
                accepted.append(changed)
    assert accepted == []


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: text + "0", str.upper, lambda text: f" {text}"]
)
def test_malformed_variants_of_a_key(change: Any) -> None:
    text, _ = api_keys.new_secret(KEY_ID)
    assert api_keys.parse(text) is not None
    assert api_keys.parse(change(text)) is None


@pytest.mark.parametrize("text", ["", "maas", "maas__", "maas_0123456789abcdef_", "x" * 100_000, "maas_\0_" + "0" * 64])
def test_malformed_keys(text: str) -> None:
    assert api_keys.parse(text) is None


def test_previous_secret_expires_after_the_grace_time() -> None:
    (old, stored_old), (new, stored_new) = made(), made()
    both = [stored_new, StoredSecret(stored_old.salt, stored_old.digest, good_until=LATER)]
    assert api_keys.matches(old, both, NOW) and api_keys.matches(new, both, NOW)
    assert not api_keys.matches(old, both, LATER) and api_keys.matches(new, both, LATER)


def instructions(secret: str, stored: list[StoredSecret]) -> Counter[str]:
    """Lines and opcodes that Python executes during a comparison, by function; a native call counts as one."""
    done: Counter[str] = Counter()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True
        done[f"{frame.f_code.co_name} {event}"] += 1
        return trace

    api_keys.matches(secret, stored, NOW)  # warm up
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        api_keys.matches(secret, stored, NOW)
    finally:
        sys.settrace(before)
    return done


def test_comparison_work_is_constant() -> None:
    """Counts executed instructions, not time; compare_digest compares the digests in constant time."""
    secret, stored = made()
    _, other = made()
    expected = instructions(secret, [stored])
    assert sum(expected.values()) > 50
    wrong_last, wrong_first = secret[:-1] + "x", "x" + secret[1:]
    for sent in (wrong_last, wrong_first, "x" * 64):
        assert instructions(sent, [stored]) == expected, sent
        assert instructions(sent, [stored, other]) == expected, sent
        assert instructions(sent, []) == expected, "an unknown key"
    assert "compare_digest" in api_keys.matches.__code__.co_names


def test_digest_hides_a_correct_prefix() -> None:
    """Even a comparison that stops at the first difference would reveal nothing of the secret."""
    secret, stored = made()
    digests = {api_keys._digest(stored.salt, secret[:length] + "x" * (64 - length)) for length in range(64)}
    assert len(digests) == 64
    assert max(common_prefix(digest, stored.digest) for digest in digests) < 8


def common_prefix(one: str, other: str) -> int:
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))
