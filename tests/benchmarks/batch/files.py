"""Writes arrays as input files of a job."""

import io
from collections.abc import Callable

import numpy as np
import orjson
from arro3.core import Array, Table
from arro3.io import write_parquet

ROW_GROUP_BYTES = 8 << 20


def npy(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, x)
    return file.getvalue()


def parquet(x: np.ndarray) -> bytes:
    """One column for each feature, with the usual compression, in row groups of some MB."""
    columns = {f"f{place}": Array.from_numpy(np.ascontiguousarray(x[:, place])) for place in range(x.shape[1])}
    file = io.BytesIO()
    rows = ROW_GROUP_BYTES // (x.itemsize * x.shape[1])
    write_parquet(Table.from_pydict(columns), file, compression="snappy", max_row_group_size=rows)
    return file.getvalue()


def csv(x: np.ndarray) -> bytes:
    header = ",".join(f"f{place}" for place in range(x.shape[1]))
    lines = [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] for row in x]
    return b"\n".join([header.encode(), *lines, b""])


def jsonl(x: np.ndarray, name: str) -> bytes:
    return b"".join(
        orjson.dumps({name: row}, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE) for row in x
    )


FORMATS: dict[str, Callable[[np.ndarray, str], bytes]] = {
    "npy": lambda x, _: npy(x),
    "parquet": lambda x, _: parquet(x),
    "csv": lambda x, _: csv(x),
    "jsonl": jsonl,
}
