// The scopes of keys, as docs/api.md lists them, and what the caller may give away.
import { can, session } from "../../session.js";

export const SCOPES = [
  ["models:read", "reading models, versions, aliases, metrics and history"],
  ["models:write", "changing them; includes models:read"],
  ["infer", "using every model"],
  ["jobs", "batch jobs"],
  ["rollouts:breach", "reporting a breach of a rollout, for alarms"],
  ["captures:read", "reading captured requests, which are other callers'"],
  ["keys", "creating, rotating and revoking keys"],
  ["admin", "everything"],
];

// Whether the caller has all that a scope allows, so that it may give it to a key.
export function covers(scope) {
  const held = session.value?.scopes ?? [];
  if (scope === "infer" || scope.startsWith("infer:")) return ["admin", "infer", scope].some((one) => held.includes(one));
  return can(scope);
}

// A caller with limits may not get a secret of a key with wider ones.
export function mayRotate(key) {
  const { expires_at: ends, requests_per_second: most } = session.value;
  const isShorter = !ends || (key.expires_at && Date.parse(key.expires_at) <= Date.parse(ends));
  const isSlower = !most || !key.requests_per_second || key.requests_per_second <= most; // one without has that of all keys
  return !key.revoked_at && key.scopes.every(covers) && isShorter && isSlower;
}
