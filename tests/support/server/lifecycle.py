"""The contract of what changes models, kept in memory: updates, aliases, deletion, history; and of API keys."""

from typing import Any

from support.server.jobs import Refusal

NOW = "2026-01-02T03:04:05Z"
KEY_ID = "0123456789abcdef"


COPIES: dict[str, dict[str, Any]] = {
    "shadow": {"compare": {"rtol": 1e-3, "atol": 1e-5}},
    "capture": {"what": "both", "days": 7, "redact": []},
}


class ContractLifecycle:
    models: dict[str, dict[str, Any]]
    versions: dict[tuple[str, int], dict[str, Any]]

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self.splits: dict[tuple[str, str], list[dict[str, int]]] = {}
        self.sticky: dict[tuple[str, str], str] = {}
        self.copies: dict[tuple[str, str, str], Any] = {}
        self.previous: dict[tuple[str, str], list[dict[str, int]]] = {}
        self.keys = {KEY_ID: _key(KEY_ID, "local", ["admin"])}

    def record(self, model: str, kind: str, version: int | None = None, alias: str | None = None) -> None:
        entry = {"model": model, "revision": len(self.history) + 1, "at": NOW, "actor": "anonymous", "kind": kind}
        self.history.append(entry | {"version": version, "alias": alias, "before": None, "after": {}})

    def change(self, found: dict[str, Any], body: dict[str, Any]) -> None:
        found |= {"description": body["description"]} if "description" in body else {}
        tags = found["tags"] | body["tags"]
        found["tags"] = {key: value for key, value in tags.items() if value is not None}

    def put_alias(self, name: str, alias: str, body: dict[str, Any]) -> dict[str, Any]:
        aliases, key = self.models[name]["aliases"], (name, alias)
        routes = body.get("routes") or ([{"version": body["version"], "weight": 100}] if "version" in body else [])
        for route in routes:
            if self.versions.get((name, route["version"]), {}).get("status") != "READY":
                raise Refusal(409, f"version {route['version']} of model '{name}' is not READY")
        self.sticky[key] = body.get("sticky") or self.sticky.get(key, "none")
        for what in COPIES.keys() & body.keys():
            self.copies[*key, what] = body[what] and COPIES[what] | body[what]
        if routes:
            if alias in aliases:
                self.previous[key] = self.splits[key]
            self.splits[key] = sorted(routes, key=lambda route: -route["version"])
            aliases[alias] = main = max(routes, key=lambda route: route["weight"])["version"]
            self.record(name, "alias.set", main, alias)
        return self.alias_json(name, alias)

    def roll_back(self, name: str, alias: str) -> dict[str, Any]:
        if (name, alias) not in self.previous:
            raise Refusal(409, f"alias '{alias}' of model '{name}' is new")
        return self.put_alias(name, alias, {"routes": self.previous[name, alias]})

    def delete_alias(self, name: str, alias: str) -> None:
        self.alias_json(name, alias)
        del self.models[name]["aliases"][alias]

    def alias_json(self, name: str, alias: str) -> dict[str, Any]:
        if alias not in self.models.get(name, {}).get("aliases", {}):
            raise Refusal(404, f"there is no alias '{alias}' of model '{name}'")
        found = {"alias": alias, "model": name, "version": self.models[name]["aliases"][alias], "updated_at": NOW}
        key = (name, alias)
        previous = self.previous.get(key, [])
        before = {"previous_version": previous[0]["version"] if previous else None, "previous_routes": previous}
        before |= {what: self.copies.get((*key, what)) for what in COPIES}
        open_one = next((one["id"] for one in self.open_rollouts(name) if one["alias"] == alias), None)
        return found | before | {"routes": self.splits[key], "sticky": self.sticky[key], "rollout": open_one}

    def delete_version(self, name: str, number: int, *, force: bool) -> list[str]:
        """The aliases that went with it."""
        aliases = self.models[name]["aliases"]
        removed = [alias for alias, version in aliases.items() if version == number]
        if removed and not force:
            raise Refusal(409, f"aliases {', '.join(removed)} are on version {number}", "force")
        for alias in removed:
            del aliases[alias]
        self.versions[name, number]["deleted_at"] = NOW
        return removed

    def purge(self, name: str, number: int | None = None) -> None:
        found = self.models[name] if number is None else self.versions[name, number]
        if not found.get("deleted_at"):
            raise Refusal(409, f"'{name}' is not deleted")
        if number is None:
            del self.models[name]
        else:
            del self.versions[name, number]

    def caller_json(self) -> dict[str, Any]:
        key = self.key_json(KEY_ID)
        return {"actor": f"key:{KEY_ID}", "scopes": key["scopes"], "expires_at": None, "requests_per_second": None}

    def key_json(self, key_id: str) -> dict[str, Any]:
        if key_id not in self.keys:
            raise Refusal(404, f"there is no key '{key_id}'")
        return self.keys[key_id]

    def create_key(self, body: dict[str, Any]) -> dict[str, Any]:
        key_id = f"{len(self.keys):016x}"
        self.keys[key_id] = _key(key_id, body["name"], body["scopes"])
        return self.keys[key_id] | {"key": f"maas_{key_id}_secret"}

    def rotate_key(self, key_id: str) -> dict[str, Any]:
        return self.key_json(key_id) | {"key": f"maas_{key_id}_another"}

    def revoke_key(self, key_id: str) -> dict[str, Any]:
        self.keys[key_id] = self.key_json(key_id) | {"revoked_at": NOW, "revoked_by": "anonymous"}
        return self.keys[key_id]


def _key(key_id: str, name: str, scopes: list[str]) -> dict[str, Any]:
    unknown = dict.fromkeys(["expires_at", "requests_per_second", "used_at", "revoked_at", "revoked_by"])
    return unknown | {"id": key_id, "name": name, "scopes": scopes, "created_at": NOW, "created_by": "anonymous"}
