// The public API with the visitor's key. tests/functions/test_console.py holds OPERATIONS against the OpenAPI document.
import { end, session } from "./session.js";

const OPERATIONS = {
  get_caller: ["GET", "/caller"],
  list_models: ["GET", "/models"],
  get_model: ["GET", "/models/{model}"],
  update_model: ["PATCH", "/models/{model}"],
  delete_model: ["DELETE", "/models/{model}"],
  restore_model: ["POST", "/models/{model}/restore"],
  model_history: ["GET", "/models/{model}/history"],
  model_metrics: ["GET", "/models/{model}/metrics"],
  list_versions: ["GET", "/models/{model}/versions"],
  get_version: ["GET", "/models/{model}/versions/{number}"],
  update_version: ["PATCH", "/models/{model}/versions/{number}"],
  delete_version: ["DELETE", "/models/{model}/versions/{number}"],
  restore_version: ["POST", "/models/{model}/versions/{number}/restore"],
  version_files: ["GET", "/models/{model}/versions/{number}/files"],
  list_aliases: ["GET", "/models/{model}/aliases"],
  get_alias: ["GET", "/models/{model}/aliases/{alias}"],
  put_alias: ["PUT", "/models/{model}/aliases/{alias}"],
  delete_alias: ["DELETE", "/models/{model}/aliases/{alias}"],
  roll_back_alias: ["POST", "/models/{model}/aliases/{alias}/rollback"],
  start_rollout: ["POST", "/models/{model}/rollouts"],
  list_rollouts: ["GET", "/models/{model}/rollouts"],
  get_rollout: ["GET", "/models/{model}/rollouts/{rollout}"],
  pause_rollout: ["POST", "/models/{model}/rollouts/{rollout}/pause"],
  resume_rollout: ["POST", "/models/{model}/rollouts/{rollout}/resume"],
  abort_rollout: ["POST", "/models/{model}/rollouts/{rollout}/abort"],
  create_job: ["POST", "/jobs"],
  list_jobs: ["GET", "/jobs"],
  get_job: ["GET", "/jobs/{job}"],
  cancel_job: ["DELETE", "/jobs/{job}"],
  retry_job: ["POST", "/jobs/{job}/retry"],
  job_results: ["GET", "/jobs/{job}/results"],
  create_key: ["POST", "/keys"],
  list_keys: ["GET", "/keys"],
  key_history: ["GET", "/keys/{id}/history"],
  rotate_key: ["POST", "/keys/{id}/rotate"],
  revoke_key: ["DELETE", "/keys/{id}"],
};

// Of versions, and of models by their newest one; also held against the document.
export const TASKS = [
  "embeddings", "rerank", "text-classification", "token-classification", "zero-shot-classification", "fill-mask",
  "image-classification", "image-embeddings", "none",
];

// The page is at …/console, whatever a stage or a domain puts before it.
export const BASE = new URL(".", location.href).href.replace(/\/$/, "");
const SECONDS = 35; // API Gateway ends a request after 30

class ApiError extends Error {
  constructor(status, message, { field, current } = {}) {
    super(message);
    Object.assign(this, { status, field, current }); // `current` of a 412: the item as it is, with its etag
  }
}

// call("get_model", {model}, {query, body, ifMatch, once, signal, key, parse}) → the answer's JSON, with its `etag` if there is one.
export async function call(name, path = {}, { query, body, ifMatch, once, signal, key, parse = JSON.parse } = {}) {
  const [method, template] = OPERATIONS[name];
  const headers = {};
  if (ifMatch) headers["if-match"] = ifMatch;
  if (once) headers["idempotency-key"] = once;
  if (body !== undefined) headers["content-type"] = "application/json";
  const where = template.replace(/\{(\w+)\}/g, (_, part) => encodeURIComponent(path[part]));
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await send(method, `/api/v1${where}${queryText(query)}`, { headers, body: sent, signal, key });
  if (answer.status === 204 || answer.status === 202) return { status: answer.status };
  const etag = answer.headers.get("etag");
  try {
    return Object.assign(parse(textOf(answer)), etag && { etag });
  } catch {
    throw new ApiError(0, "The answer is no JSON: something between this browser and the server gave it.");
  }
}

export const textOf = ({ bytes }) => new TextDecoder().decode(bytes);

// An idempotency key: a change that is sent again, as no answer came, is made once.
export const onceOnly = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// A page of a list, as usePages takes it: {items, token} and what else the answer has; after the last page there is no token.
export async function pageOf(name, path, list, { query, token, signal } = {}) {
  const { [list]: items, next_page_token: next, ...rest } = await call(name, path, { query: { ...query, page_token: token }, signal });
  return { ...rest, items, token: next };
}

const MOST = 1000;

// All items of a list, page by page, at most MOST: {items, more}.
export async function all(name, path, list, { query, signal } = {}) {
  const items = [];
  let token;
  do {
    const page = await pageOf(name, path, list, { query: { ...query, limit: 100 }, token, signal });
    items.push(...page.items);
    token = page.token;
  } while (token && items.length < MOST);
  return { items, more: Boolean(token) };
}

// Any path of the API: {status, headers, bytes}; raises ApiError for an answer that is no success.
export async function send(method, path, { headers = {}, body, signal, key = session.value?.key } = {}) {
  const limit = AbortSignal.timeout(SECONDS * 1000);
  const ends = signal ? AbortSignal.any([signal, limit]) : limit;
  let answer;
  let bytes;
  try {
    answer = await fetch(BASE + path, {
      method, body, signal: ends, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer",
      headers: { ...headers, ...(key ? { authorization: `Bearer ${key}` } : {}) },
    });
    bytes = new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, limit.aborted ? `No answer within ${SECONDS} seconds.` : "The server cannot be reached.");
  }
  const { ok, status, headers: answered } = answer;
  if (ok) return { status, headers: answered, bytes };
  const said = refusalOf({ bytes });
  if (status === 401 && key === session.value?.key) end("Your key is not accepted any more: log in again.");
  if (said.current) said.current.etag = answered.get("etag");
  const message = said.error?.message ?? said.error ?? said.message;
  throw new ApiError(status, typeof message === "string" ? message : `The server answered with status ${status}`, said);
}

// What is between the browser and the API may answer with anything.
function refusalOf(answer) {
  try {
    return Object(JSON.parse(textOf(answer)));
  } catch {
    return {};
  }
}

function queryText(query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const listed = pairs.flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  return listed.length ? `?${new URLSearchParams(listed)}` : "";
}
