"""`maas.rollouts`: rollouts of the management API."""

import builtins
from collections.abc import Sequence

from maas_client._async.transport import AsyncTransport
from maas_client.arguments import listed
from maas_client.calls import api_path, filters
from maas_client.reading import read
from maas_client.records.rollouts import Rollout


class AsyncRollouts:
    """A version gets growing shares of an alias's requests, and goes back by itself if it is worse than it may be."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def start(
        self,
        model: str,
        alias: str,
        version: int,
        *,
        steps: Sequence[int] | None = None,
        minutes_per_step: float | None = None,
        error_rate: float | None = None,
        p95_ms: float | None = None,
        shadow_mismatch: float | None = None,
        min_requests: int | None = None,
        on_breach: str | None = None,
        notify: str | None = None,
    ) -> Rollout:
        """Begin a rollout. What is None is the server's default. Raises Conflict if the alias has an open one.

        `steps` are percents of the requests, the last 100. `error_rate` and `shadow_mismatch` are the most of the
        version's requests that may fail or differ, between 0 and 1. `on_breach` is "rollback" or "pause".

        >>> (await maas.rollouts.start("digits", "production", 2, error_rate=0.02)).steps
        (5, 25, 50, 100)
        """
        limits = {
            "error_rate": error_rate,
            "p95_ms": p95_ms,
            "shadow_mismatch": shadow_mismatch,
            "min_requests": min_requests,
        }
        plan = {
            "steps": None if steps is None else listed("steps", steps),
            "minutes_per_step": minutes_per_step,
            "guards": {name: limit for name, limit in limits.items() if limit is not None},
            "on_breach": on_breach,
            "notify": notify,
        }
        body = {"alias": alias, "version": version} | {name: one for name, one in plan.items() if one is not None}
        path = api_path("models", model, "rollouts")
        return read(Rollout, await self._transport.call("POST", path, body, creating=True))

    async def list(
        self, model: str, limit: int | None = None, *, alias: str | None = None, is_open: bool | None = None
    ) -> builtins.list[Rollout]:
        """Rollouts of a model, or `limit` of them, the newest first.

        >>> await maas.rollouts.list("digits", is_open=True)
        []
        """
        wanted = None if is_open is None else str(is_open).lower()
        query = filters(alias=alias, open=wanted)
        return await self._transport.pages(api_path("models", model, "rollouts"), "rollouts", Rollout, limit, query)

    async def get(self, model: str, rollout: int) -> Rollout:
        """One rollout with the guard's last decision. Raises NotFound.

        >>> started = await maas.rollouts.start("digits", "production", 2)
        >>> (await maas.rollouts.get("digits", started.id)).is_open
        True
        """
        return read(Rollout, await self._transport.call("GET", api_path("models", model, "rollouts", rollout)))

    async def pause(self, model: str, rollout: int, reason: str | None = None) -> Rollout:
        """Keep the shares as they are: nothing looks at it until someone resumes it. Raises Conflict if it has ended.

        >>> started = await maas.rollouts.start("digits", "production", 2)
        >>> (await maas.rollouts.pause("digits", started.id, "lunch")).status
        'PAUSED'
        """
        return await self._move(model, rollout, "pause", reason)

    async def resume(self, model: str, rollout: int) -> Rollout:
        """Begin the step anew; after a breach, with figures of its own. Raises Conflict if it has ended.

        >>> started = await maas.rollouts.start("digits", "production", 2)
        >>> (await maas.rollouts.resume("digits", started.id)).status
        'RUNNING'
        """
        return await self._move(model, rollout, "resume", None)

    async def abort(self, model: str, rollout: int, reason: str | None = None) -> Rollout:
        """Give the alias back what it had before. Raises Conflict if it has ended otherwise.

        >>> started = await maas.rollouts.start("digits", "production", 2)
        >>> (await maas.rollouts.abort("digits", started.id)).status
        'ABORTED'
        """
        return await self._move(model, rollout, "abort", reason)

    async def breach(self, model: str, rollout: int, reason: str) -> Rollout:
        """Report a breach from outside: the rollout does what its `on_breach` says. Scope `rollouts:breach` is enough.

        >>> started = await maas.rollouts.start("digits", "production", 2, on_breach="pause")
        >>> (await maas.rollouts.breach("digits", started.id, "the database is slow")).status
        'PAUSED'
        """
        return await self._move(model, rollout, "breach", reason)

    async def _move(self, model: str, rollout: int, how: str, reason: str | None) -> Rollout:
        path = api_path("models", model, "rollouts", rollout, how)
        body = None if reason is None else {"reason": reason}
        return read(Rollout, await self._transport.call("POST", path, body, repeatable=True))
