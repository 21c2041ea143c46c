"""What is wrong with which record of a binary file, beside the outputs."""

import orjson


class ErrorsFile:
    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self.size_bytes = 0

    def add(self, record: int, error: str) -> None:
        """`record` counts from the beginning of the whole file."""
        line = orjson.dumps({"record": record, "error": error}, option=orjson.OPT_APPEND_NEWLINE)
        self._lines.append(line)
        self.size_bytes += len(line)

    def files(self) -> dict[str, bytes]:
        """Nothing where nothing is wrong."""
        return {"errors.jsonl": b"".join(self._lines)} if self._lines else {}
