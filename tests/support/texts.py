"""Texts of many kinds, the same in every run: scripts, emoji, control characters, empty and long ones."""

import random
import unicodedata

# First and last character of letters of each script.
SCRIPTS = {
    "latin": "AZaz",
    "accented": "ÀÖØöøſ",
    "greek": "ΑΩαω",
    "cyrillic": "АЯая",
    "armenian": "ԱՖ",
    "hebrew": "את",
    "arabic": "اي",
    "devanagari": "अह",
    "bengali": "অহ",
    "tamil": "அஹ",
    "thai": "กฮ",
    "georgian": "აჰ",
    "hangul": "가힣",
    "hiragana": "ぁん",
    "katakana": "ァヶ",
    "han": "一鿿",
    "emoji": "😀🙏🌀🗿",
    "symbols": "←⋿",
    "fullwidth": "！～",
    "mathematical": "𝐀𝟿",
    "combining": "\u0300\u036f",
    "control": "\x00\x1f\x7f\x9f",
    "private": "\ue000\ue0ff",
    "format": "\u200b\u200f\u2028\u202e",
}
PLAIN = [
    "The quick brown fox.",
    "don't stop—ever…",
    "C++ & C# in 2026, 3.14%",
    "naïve café",
    "e-mail: a@b.org",
    "ﬁnd ½",
]
LONG = ["", " ", "\n\t", "a" * 100_000, "word " * 20_000, "日本語" * 11_000, "🙂" * 25_000, "a\u0301" * 50_000]


def texts(count: int) -> list[str]:
    """`count` of them; the long ones come last."""
    source = random.Random(0)
    made = [*PLAIN]
    while len(made) < count - len(LONG):
        made.append(" ".join(_word(source) for _ in range(source.randint(1, 12))))
    return made + LONG


def _word(source: random.Random) -> str:
    if source.random() < 0.4:
        return source.choice(PLAIN)
    limits = SCRIPTS[source.choice([*SCRIPTS])]
    place = source.randrange(0, len(limits), 2)
    first, last = ord(limits[place]), ord(limits[place + 1])
    letters = (chr(source.randint(first, last)) for _ in range(source.randint(1, 8)))
    return "".join(
        one for one in letters if unicodedata.category(one) != "Cn"
    )  # what is unassigned changes with Unicode
