// Who is logged in. The key lives in this tab's session storage, and in no URL.
import { signal } from "./lib.js";

const NAME = "maas-session";
export const auth = document.documentElement.dataset.auth;
export const session = signal(read()); // {key, actor, scopes, expires_at} or null
export const farewell = signal(""); // why the last session ended

export function begin(key, caller) {
  sessionStorage.setItem(NAME, JSON.stringify({ key, ...caller }));
  farewell.value = "";
  session.value = read();
}

export function end(why = "") {
  sessionStorage.removeItem(NAME);
  farewell.value = why;
  session.value = null;
}

// Whether the caller has a scope, as the API decides: docs/api.md, "Scopes".
export function can(scope, model) {
  const held = session.value?.scopes ?? [];
  if (held.includes("admin") || held.includes(scope)) return true;
  if (scope === "infer") return model ? held.includes(`infer:${model}`) : held.some((one) => one.startsWith("infer:"));
  return scope === "models:read" && held.includes("models:write");
}

function read() {
  try {
    const found = JSON.parse(sessionStorage.getItem(NAME));
    return found?.key && Array.isArray(found.scopes) ? found : null; // another page of this origin may have written it
  } catch {
    return null;
  }
}
