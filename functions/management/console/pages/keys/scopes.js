// The scopes of keys, as docs/api.md lists them.
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
