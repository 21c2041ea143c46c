// A model's history, read from the newest entry on.
import { pageOf } from "./api.js";

const PAGE = 200;

// {entries, isCut}: as far as the first of which `isLast` is true, or `most` of them; isCut says that older ones are not read.
export async function entriesUntil(isLast, model, { most = 1000, signal } = {}) {
  const entries = [];
  let token;
  do {
    const page = await pageOf("model_history", { model }, "entries", { query: { limit: PAGE }, token, signal });
    const last = page.items.findIndex(isLast);
    entries.push(...page.items.slice(0, last < 0 ? undefined : last + 1));
    if (last >= 0) return { entries, isCut: false };
    token = page.token;
  } while (token && entries.length < most);
  return { entries, isCut: Boolean(token) };
}

export const revisionOf = (etag) => Number(etag.match(/\d+/)[0]);

// Entries after the revision of an ETag: what a 412 is about.
export async function changesSince(model, etag) {
  const isSeen = (entry) => entry.revision <= revisionOf(etag);
  const { entries } = await entriesUntil(isSeen, model);
  return entries.filter((entry) => !isSeen(entry));
}
