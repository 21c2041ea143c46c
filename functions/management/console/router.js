// Pages by the address after #, so that the server knows one page only. Each page's module loads when it is first shown.
import { computed, signal } from "./lib.js";

const PAGES = [
  ["/", "models"],
  ["/models/:model", "model"],
  ["/models/:model/versions/:version", "version"],
  ["/models/:model/compare", "compare"],
  ["/models/:model/try", "try"],
  ["/models/:model/rollouts", "rollouts"],
  ["/models/:model/metrics", "metrics"],
  ["/jobs", "jobs"],
  ["/jobs/:job", "job"],
  ["/keys", "keys"],
];

const address = signal(location.hash.slice(1) || "/");
addEventListener("hashchange", () => (address.value = location.hash.slice(1) || "/"));

// {page, params, query} of the address; page is null for one that leads nowhere.
export const place = computed(() => {
  const [path, query = ""] = address.value.split("?");
  for (const [pattern, page] of PAGES) {
    const params = fitted(pattern.split("/"), path.split("/"));
    if (params) return { page, params, query: Object.fromEntries(new URLSearchParams(query)), path };
  }
  return { page: null, params: {}, query: {}, path };
});

export function to(path, query) {
  const filled = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== "");
  return `#${path}${filled.length ? `?${new URLSearchParams(filled)}` : ""}`;
}

export const modelPath = (model, rest = "") => `/models/${encodeURIComponent(model)}${rest}`;

export function go(path, query) {
  location.hash = to(path, query);
}

function fitted(pattern, path) {
  if (pattern.length !== path.length) return null;
  const params = {};
  for (const [place, part] of pattern.entries()) {
    if (!part.startsWith(":")) {
      if (part !== path[place]) return null;
    } else if (!path[place]) {
      return null;
    } else {
      try {
        params[part.slice(1)] = decodeURIComponent(path[place]);
      } catch {
        return null;
      }
    }
  }
  return params;
}
