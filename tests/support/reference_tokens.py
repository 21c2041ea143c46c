"""Token ids by the tokenizer in plain Python of the transformers library, for a Python that has it.

`python reference_tokens.py FOLDER MAX_LENGTH` reads a JSON array of texts and prints one of their ids.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

from transformers import BertTokenizer


def main(folder: str, max_length: str) -> None:
    tokenizer = BertTokenizer.from_pretrained(folder)
    texts = json.load(sys.stdin)
    ids = [tokenizer(text, truncation=True, max_length=int(max_length))["input_ids"] for text in texts]
    json.dump(ids, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
