"""The contract of rollouts, kept in memory; nothing moves one but its callers."""

from typing import Any

from support.server.jobs import Refusal

NOW = "2026-01-02T03:04:05Z"
ENDS = {"abort": "ABORTED", "breach": "ROLLED_BACK"}


class ContractRollouts:
    models: dict[str, dict[str, Any]]

    def __init__(self) -> None:
        self.rollouts: list[dict[str, Any]] = []

    def start_rollout(self, model: str, body: dict[str, Any]) -> dict[str, Any]:
        aliases = self.models.get(model, {}).get("aliases", {})
        if body["alias"] not in aliases:
            raise Refusal(404, f"there is no alias '{body['alias']}' of model '{model}'")
        if any(one["alias"] == body["alias"] for one in self.open_rollouts(model)):
            raise Refusal(409, f"alias '{body['alias']}' of model '{model}' has an open rollout")
        limits = {"error_rate": None, "p95_ms": None, "shadow_mismatch": None, "min_requests": 100}
        plan = {"steps": [5, 25, 50, 100], "minutes_per_step": 10.0, "on_breach": "rollback", "notify": None} | body
        about = {"id": len(self.rollouts) + 40, "model": model, "stable": aliases[body["alias"]], "actor": "anonymous"}
        about |= {"status": "RUNNING", "weight": plan["steps"][0], "breached": False, "decision": None}
        times = dict.fromkeys(("created_at", "step_started_at", "updated_at"), NOW)
        self.rollouts.append(plan | about | times | {"guards": limits | body.get("guards", {})})
        return self.rollouts[-1]

    def open_rollouts(self, model: str) -> list[dict[str, Any]]:
        return [one for one in self.rollouts if one["model"] == model and one["status"] in ("RUNNING", "PAUSED")]

    def list_rollouts(self, model: str, query: dict[str, Any]) -> dict[str, Any]:
        found = [one for one in self.rollouts if one["model"] == model][::-1]
        if "open" in query:
            found = [one for one in found if (one in self.open_rollouts(model)) == (query["open"] == "true")]
        found = [one for one in found if query.get("alias", one["alias"]) == one["alias"]]
        return {"rollouts": found[: int(query["limit"])], "next_page_token": None}

    def rollout_json(self, model: str, number: str) -> dict[str, Any]:
        for one in self.rollouts:
            if (one["model"], one["id"]) == (model, int(number)):
                return one
        raise Refusal(404, f"there is no rollout '{number}' of model '{model}'")

    def move_rollout(self, model: str, number: str, how: str) -> dict[str, Any]:
        found = self.rollout_json(model, number)
        if found not in self.open_rollouts(model):
            raise Refusal(409, f"rollout {number} of model '{model}' has ended: it is {found['status']}")
        is_paused = how == "pause" or (how == "breach" and found["on_breach"] == "pause")
        found["status"] = "PAUSED" if is_paused else ENDS.get(how, "RUNNING")
        return found
