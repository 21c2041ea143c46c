"""What a request for a job may ask: its shadow, its upload, the places of its input and its output."""

from maas.batch.locations import DATA, DEFERRED, INPUTS, OUTPUT, REQUEST, UPLOADS, is_marker
from maas.batch.state.job_records import JobRequest
from maas.errors import InvalidRequest, TooLarge
from maas.names import check_file_name
from maas.records import ModelFile, ModelVersion

MAX_UPLOAD_BYTES = 100 * 1024**3  # 1,600 parts: the response with their URLs stays below Lambda's 6 MB
MAX_REQUEST_BYTES = 1024**3  # for kind infer: the worker reads the request into memory
MAX_KEY_BYTES = 1024  # S3's limit
# The suffixes that `formats.format_of` accepts, repeated because that module imports NumPy. Any other upload is refused
# before it is stored: one named like START would wake the planner.
SUFFIXES = (".jsonl", ".csv", ".parquet", ".npy", ".jsonl.gz", ".csv.gz")


def check_shadow(version: ModelVersion, wanted: JobRequest) -> None:
    """Raises InvalidRequest."""
    if wanted.shadow and wanted.kind == "infer":
        raise InvalidRequest("shadow: got one, expected none for a job of kind infer", field="shadow")
    if wanted.shadow and wanted.shadow.version == version.number:
        expected = "a version other than the job's"
        raise InvalidRequest(f"shadow.version: got {version.number}, expected {expected}", field="shadow.version")


def check_upload(upload: ModelFile, is_infer: bool) -> None:
    """Raises InvalidRequest for a name without a format's suffix and for an empty request, TooLarge."""
    if is_infer and not upload.size_bytes:
        expected = "an inference request"
        raise InvalidRequest(f"upload.size_bytes: got 0, expected {expected}", field="upload.size_bytes")
    if not is_infer and not upload.name.lower().endswith(SUFFIXES):
        expected = f"a name that ends in one of {', '.join(SUFFIXES)}"
        raise InvalidRequest(f"upload.name: got '{upload.name}', expected {expected}", field="upload.name")
    most, instead = MAX_UPLOAD_BYTES, f"put a larger file below {DATA} with `aws s3 cp` and name it as `input`"
    if is_infer:
        most, instead = MAX_REQUEST_BYTES, "a job of kind batch takes more, as a file of records"
    if upload.size_bytes > most:
        came = f"upload.size_bytes: got {upload.size_bytes:,}, expected at most {most:,}"
        raise TooLarge(f"{came}; {instead}", field="upload.size_bytes")


def upload_key(job_id: str, name: str, is_infer: bool) -> str:
    if is_infer:
        return f"{DEFERRED}{job_id}/{REQUEST}"
    return f"{UPLOADS}{job_id}/{check_file_name(name, 'upload.name').rpartition('/')[2]}"


def input_key(location: str, bucket: str) -> str:
    """The key of an object with records. Raises InvalidRequest."""
    key = _key_of(location, bucket)
    if not key.startswith(INPUTS):
        raise _elsewhere("input", location, bucket, INPUTS)
    if is_marker(key.rpartition("/")[2]):
        expected = "a file of records: names that begin with '_' or '.' are markers of the tool that wrote the folder"
        raise InvalidRequest(f"input: got {location!r:.200}, expected {expected}", field="input")
    size_bytes = len(key.encode())
    if size_bytes > MAX_KEY_BYTES:
        raise InvalidRequest(
            f"input: got a key of {size_bytes:,} bytes, expected at most {MAX_KEY_BYTES:,}", field="input"
        )
    return key


def output_folder(wanted: JobRequest, job_id: str, bucket: str) -> str:
    """A key prefix that ends in a slash. Raises InvalidRequest."""
    if wanted.kind == "infer":
        return f"{DEFERRED}{job_id}/"
    if wanted.output is None:
        return f"{OUTPUT}{job_id}/"
    key = _key_of(wanted.output, bucket).rstrip("/") + "/"
    if not key.startswith(OUTPUT) or len(key) <= len(OUTPUT):
        raise _elsewhere("output", wanted.output, bucket, (OUTPUT,))
    check_file_name(key[:-1], "output")
    return key


def _key_of(location: str, bucket: str) -> str:
    return location.removeprefix(f"s3://{bucket}/")


def _elsewhere(field: str, came: str, bucket: str, below: tuple[str, ...]) -> InvalidRequest:
    expected = f"s3://{bucket}/KEY with KEY below {' or '.join(below)}"
    return InvalidRequest(f"{field}: got {came!r:.200}, expected {expected}", field=field)
