"""Where the rows of the table are.

| pk | sk | what |
|---|---|---|
| `MODELS` | name | RegisteredModel; after a purge what is left of it: counter and revision |
| `M#name` | `V#00000001` | ModelVersion |
| `M#name` | `R#00000001` | marks a READY version that is not deleted, so that the newest is one read |
| `M#name` | `H#000000000001` | HistoryEntry |
| `M#name` | `T#time` | what every alias pointed to from then on, or null while the model was deleted |
| `DELETED` | `time#name#number` | what the purge looks through |
| `I#actor` | key | what an Idempotency-Key made |
| `SECRETS` | name | made once, at random |
| `KEYS` | id | ApiKey |
| `K#id` | `H#000000000001` | KeyChange |
| `Q#id` | second | how many requests the key made in it |
"""

from maas.aws.dynamodb import Key, Put

MODELS = "MODELS"
DELETED = "DELETED"
SECRETS = "SECRETS"
KEYS = "KEYS"
TIMELINE = "T#"
AT_ONCE = "0"  # sorts before every time


def partition(model: str) -> str:
    return f"M#{model}"


def model_key(name: str) -> Key:
    return MODELS, name


def version_key(model: str, number: int) -> Key:
    return partition(model), f"V#{number:08d}"


def ready_key(model: str, number: int) -> Key:
    return partition(model), f"R#{number:08d}"


def history_key(model: str, revision: int) -> Key:
    return partition(model), f"H#{revision:012d}"


def timeline_key(model: str, at: str) -> Key:
    return partition(model), TIMELINE + at


def deleted_key(deleted_at: str, model: str, number: int | None = None) -> Key:
    return DELETED, f"{deleted_at}#{model}#{number or ''}"


def deletion(deleted_at: str, model: str, number: int | None = None) -> Put:
    """The row of `deleted_key`."""
    fields = {"model": model, "number": number, "deleted_at": deleted_at}
    return Put(deleted_key(deleted_at, model, number), fields, None)


def idempotency_key(actor: str, key: str) -> Key:
    return f"I#{actor}", key


def api_key(key_id: str) -> Key:
    return KEYS, key_id


def key_partition(key_id: str) -> str:
    return f"K#{key_id}"


def key_history_key(key_id: str, revision: int) -> Key:
    return key_partition(key_id), f"H#{revision:012d}"


def requests_key(key_id: str, second: int) -> Key:
    return f"Q#{key_id}", str(second)
