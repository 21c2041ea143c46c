"""Tokenises texts. The only home of `tokenizers`, which takes 25 ms to import."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads do not survive the fork of a child process

from tokenizers import Encoding, Tokenizer

from maas.errors import InvalidRequest, ModelRejected
from maas.tasks.limits import TextTooLong

MAX_LENGTH = 512  # tokens, where an export names no maximum


class Ids:
    """Tokens of one text that came as ids."""

    def __init__(self, ids: list[int]) -> None:
        self.ids, self.type_ids = ids, [0] * len(ids)

    def __len__(self) -> int:
        return len(self.ids)


class Texts:
    """A tokenizer with the maximum length of its model."""

    def __init__(self, path: Path, parameters: Mapping[str, Any]) -> None:
        """Raises ModelRejected for a file that is no tokenizer."""
        self._tokenizer = loaded(path)
        self.max_length = int(parameters.get("max_length") or MAX_LENGTH)
        self.pad_id = int(parameters.get("pad_id") or 0)
        self._lowercase = bool(parameters.get("lowercase"))

    @property
    def vocabulary(self) -> int:
        """The number of token ids, added tokens included."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def encode(self, texts: Sequence[str], *, truncate: bool = False, prompt: str = "") -> list[Encoding]:
        """Raises TextTooLong unless `truncate`, InvalidRequest for lone surrogates."""
        encodings = self._encoded([prompt + text for text in texts] if prompt else texts)
        for index, encoding in enumerate(encodings):
            if len(encoding) > self.max_length:
                if not truncate:
                    raise TextTooLong(index, len(encoding), self.max_length)
                encodings[index] = self._cut(prompt + texts[index])
        return encodings

    def of_ids(self, rows: Sequence[list[int]]) -> "list[Ids]":
        """Token ids that the caller made with this tokenizer, special tokens included. Raises InvalidRequest."""
        for index, ids in enumerate(rows):
            if len(ids) > self.max_length:
                raise TextTooLong(index, len(ids), self.max_length)
            if not 0 <= min(ids) <= max(ids) < self.vocabulary:
                expected = f"ids from 0 to {self.vocabulary - 1}"
                raise InvalidRequest(f"input[{index}]: got ids up to {max(ids)}, expected {expected}", field="input")
        return [Ids(ids) for ids in rows]

    def tokens(self, texts: Sequence[str], special: bool) -> list[list[dict[str, Any]]]:
        """Each token of each text, with its place in characters; null for a special one."""
        return [
            [
                {"id": token, "text": text, "special": bool(is_special)}
                | ({"start": None, "stop": None} if is_special else {"start": start, "stop": stop})
                for token, text, is_special, (start, stop) in zip(
                    one.ids, one.tokens, one.special_tokens_mask, one.offsets, strict=True
                )
            ]
            for one in self._encoded(texts, special)
        ]

    def pairs(
        self, firsts: Sequence[str], seconds: Sequence[str], *, truncate: bool = True, most: int | None = None
    ) -> list[Encoding]:
        """Each first text with its second one, of which only the second is cut where the pair is too long.

        The second has at most `most` tokens.

        Raises TextTooLong without `truncate`, and for a first text that leaves no room for the second.
        """
        unique = list(dict.fromkeys(firsts))
        heads = dict(zip(unique, self._encoded(unique, special=False), strict=True))
        special = self._tokenizer.num_special_tokens_to_add(True)
        made = []
        for index, (first, second) in enumerate(zip(firsts, self._encoded(seconds, special=False), strict=True)):
            if most is not None:
                second.truncate(most)
            room = self.max_length - special - len(heads[first])
            if len(second) > room:
                if room < 1:
                    most = self.max_length - special - 1
                    raise TextTooLong(0, len(heads[first]), most, "query")
                if not truncate:
                    raise TextTooLong(index, len(second), room)
                second.truncate(room)
            made.append(self._tokenizer.post_process(heads[first], second))
        return made

    def hypotheses(self, text: str, seconds: Sequence[str], *, truncate: bool) -> list[Encoding]:
        """The text with each of the seconds; only the text is cut. Raises TextTooLong without `truncate`."""
        heads = self._encoded([text] * len(seconds), special=False)
        special = self._tokenizer.num_special_tokens_to_add(True)
        made = []
        for head, second in zip(heads, self._encoded(seconds, special=False), strict=True):
            room = self.max_length - special - len(second)
            if len(head) > room:
                if not truncate or room < 1:
                    raise TextTooLong(0, len(head), max(0, room))
                head.truncate(room)
            made.append(self._tokenizer.post_process(head, second))
        return made

    def decode(self, ids: Iterable[int], *, special: bool = False) -> str:
        return self._tokenizer.decode(list(ids), skip_special_tokens=not special)

    def id_of(self, token: str) -> int | None:
        return self._tokenizer.token_to_id(token)

    def _cut(self, text: str) -> Encoding:
        """The text's encoding with its special tokens, of at most `max_length` tokens. Raises InvalidRequest."""
        (bare,) = self._encoded([text], special=False)
        room = self.max_length - self._tokenizer.num_special_tokens_to_add(False)
        bare.truncate(max(0, room))
        cut = self._tokenizer.post_process(bare)
        if len(cut) > self.max_length:  # a template that has the text twice
            came = f"the tokenizer makes {len(cut):,} tokens of one that is cut to {max(0, room):,}"
            raise InvalidRequest(f"text: {came}, expected at most {self.max_length:,}", field="text")
        return cut

    def _encoded(self, texts: Sequence[str], special: bool = True) -> list[Encoding]:
        if self._lowercase:
            texts = [text.lower() for text in texts]
        try:
            return self._tokenizer.encode_batch(list(texts), add_special_tokens=special)
        except (UnicodeEncodeError, TypeError):  # TypeError: what PyO3 makes of a lone surrogate
            raise InvalidRequest("text: got text that is no valid Unicode, expected UTF-8", field="text") from None
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:  # a panic of the library is no Exception
            reason = f"{type(error).__name__} {error!s:.200}"
            raise InvalidRequest(f"text: the tokenizer cannot read it ({reason})", field="text") from None


def loaded(path: Path) -> Tokenizer:
    """The tokenizer without the padding and truncation that its file may hold. Raises ModelRejected."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.no_truncation()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise ModelRejected(f"{path.name} is no tokenizer that `tokenizers` can load: {error!s:.300}") from None
    return tokenizer
