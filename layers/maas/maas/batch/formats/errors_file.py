"""`errors.jsonl`: the errors of a binary format's records, beside its outputs."""

import orjson


class ErrorsFile:
    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self.size_bytes = 0

    def add(self, record: int, error: str) -> None:
        """`record` is the record's index in the whole input file."""
        line = orjson.dumps({"record": record, "error": error}, option=orjson.OPT_APPEND_NEWLINE)
        self._lines.append(line)
        self.size_bytes += len(line)

    def files(self) -> dict[str, bytes]:
        """No file if there are no errors."""
        return {"errors.jsonl": b"".join(self._lines)} if self._lines else {}
