"""Lists the files of captured requests, for the API. See `maas.sampling.capture_files`, which writes them."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from maas.aws.s3 import ModelBucket
from maas.errors import InvalidRequest
from maas.sampling.places import HOUR, folder
from maas.times import canonical


class Captured(NamedTuple):
    """`name` is below the version's folder; `hour` is when the requests were answered."""

    name: str
    hour: str
    size_bytes: int
    url: str


class Captures:
    def __init__(self, bucket: ModelBucket) -> None:
        self._bucket = bucket

    def files(
        self, model: str, version: int, start: datetime, end: datetime, limit: int, after: str | None
    ) -> tuple[list[Captured], str | None]:
        """Those of every hour that has a part in the time, and the position of the next page.

        Raises InvalidRequest unless `start` is before `end`.
        """
        if start >= end:
            raise InvalidRequest(
                f"from: got {canonical(start)}, expected a time before to, {canonical(end)}", field="from"
            )
        place = folder(model, version)
        first = f"{place}{start.astimezone(UTC):{HOUR}}"
        last = f"{place}{(end - timedelta(microseconds=1)).astimezone(UTC):{HOUR}}"
        listed = self._bucket.listed(place, after or first, limit + 1)
        found = [(key, size_bytes) for key, size_bytes in listed if key[: len(last)] <= last]
        more = found[limit - 1][0] if len(found) > limit else None
        return [self._captured(place, *one) for one in found[:limit]], more

    def _captured(self, place: str, key: str, size_bytes: int) -> Captured:
        name = key.removeprefix(place)
        hour = datetime.strptime("/".join(name.split("/")[:-1]) + "/", HOUR).replace(tzinfo=UTC)
        return Captured(name, canonical(hour), size_bytes, self._bucket.presign_download(key, None))
