"""Keys of the table's rows.

| pk | sk | row |
|---|---|---|
| `MODELS` | name | RegisteredModel; after a purge only its version counter and revision |
| `M#name` | `V#00000001` | ModelVersion |
| `M#name` | `R#00000001` | one per READY version that is not deleted: the newest, and its task, is one read |
| `M#name` | `H#000000000001` | HistoryEntry |
| `M#name` | `T#time` | the version or routes of each alias from that time on; null while the model is deleted |
| `M#name` | `O#000000000001` | Rollout |
| `ROLLOUTS` | `name#1` | index of rollouts that are open or have something to tell |
| `DELETED` | `time#name#number` | index of deletions, for the purge |
| `UNREADY` | `time#name#number` | index of versions that are not READY, by their creation |
| `I#actor` | key | result of a call with an Idempotency-Key |
| `SECRETS` | name | random bytes, created once |
| `KEYS` | id | ApiKey |
| `K#id` | `H#000000000001` | KeyChange |
| `Q#id` | second | number of the key's requests in that second |
"""

from maas.aws.writes import Key, Put
from maas.records import ModelVersion

MODELS = "MODELS"
DELETED = "DELETED"
UNREADY = "UNREADY"
ROLLOUTS = "ROLLOUTS"
ROLLOUT = "O#"
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


def rollout_key(model: str, rollout: int) -> Key:
    return partition(model), f"{ROLLOUT}{rollout:012d}"


def open_rollout_key(model: str, rollout: int) -> Key:
    return ROLLOUTS, f"{model}#{rollout}"


def deleted_key(deleted_at: str, model: str, number: int | None = None) -> Key:
    return DELETED, f"{deleted_at}#{model}#{number or ''}"


def deletion(deleted_at: str, model: str, number: int | None = None) -> Put:
    """The index row at `deleted_key`."""
    fields = {"model": model, "number": number, "deleted_at": deleted_at}
    return Put(deleted_key(deleted_at, model, number), fields, None)


def unready_key(version: ModelVersion) -> Key:
    return UNREADY, f"{version.created_at}#{version.model}#{version.number}"


def unready(version: ModelVersion) -> Put:
    """The index row at `unready_key`, stored with the version."""
    fields = {"model": version.model, "number": version.number, "created_at": version.created_at}
    return Put(unready_key(version), fields, None)


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
