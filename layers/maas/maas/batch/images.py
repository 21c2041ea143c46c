"""Images that records of a job name by their place in the bucket."""

from dataclasses import dataclass

from maas.aws.s3_reader import S3Reader
from maas.batch.locations import INPUTS
from maas.errors import InvalidRequest, NotFound

MOST_BYTES = 32 << 20  # of one file: a run reads several


@dataclass(frozen=True, slots=True)
class ImagesInS3:
    """Reads only what a job may name as its input."""

    reader: S3Reader
    bucket: str

    def read(self, location: str) -> bytes:
        """The object at `s3://BUCKET/KEY`.

        Raises InvalidRequest for another bucket or folder, or if there is none; TooLarge beyond MOST_BYTES.
        """
        start = f"s3://{self.bucket}/"
        key = location.removeprefix(start)
        if not location.startswith(start) or not key.startswith(INPUTS):
            expected = f"{start}KEY with KEY below {' or '.join(INPUTS)}"
            raise InvalidRequest(f"image: got {location!r:.200}, expected {expected}", field="image")
        try:
            return self.reader.read(key, MOST_BYTES)
        except NotFound:
            raise InvalidRequest(f"image: there is no object {location:.200}", field="image") from None
