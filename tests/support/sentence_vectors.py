"""Token ids and vectors by sentence-transformers itself, for a Python that has it.

`python sentence_vectors.py FOLDER OUT.npz` reads a JSON array of texts from standard input. `OUT.npz` has `vectors`,
(texts, dimensions), and `ids`, (texts, longest) with -1 after the last token of each.
"""

import json
import os
import sys

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}

import numpy as np
from sentence_transformers import SentenceTransformer


def main(folder: str, out: str) -> None:
    model = SentenceTransformer(folder, device="cpu")
    texts = json.load(sys.stdin)
    tokens = model.tokenize(texts)
    ids = np.where(tokens["attention_mask"].numpy() == 1, tokens["input_ids"].numpy(), -1)
    np.savez(out, ids=ids, vectors=model.encode(texts, convert_to_numpy=True, show_progress_bar=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
