// How far a job is: shared by the list and the page of a job.
import { html } from "../../lib.js";
import { call } from "../../api.js";
import { Bar } from "../../charts.js";
import { count, span } from "../../format.js";
import { useResource, useSeen } from "../../resource.js";

const ENDED = ["SUCCEEDED", "FAILED", "CANCELLED"];
export const POLL = 5000;
export const isOpen = (job) => !ENDED.includes(job.status);

// Seconds from its start to its end, or until now.
export function took(job) {
  if (!job.started_at) return null;
  return (Date.parse(isOpen(job) ? new Date().toISOString() : job.updated_at) - Date.parse(job.started_at)) / 1000;
}

// Shards are split while they run, so the share is that of the shards that are known by now.
function shareOf(job) {
  if (job.status === "SUCCEEDED") return 1;
  const { shards_done: done = 0, shards_total: total = 0 } = job.progress ?? {};
  return total ? done / total : 0;
}

export function ProgressBar({ job }) {
  const { shards_done: done = 0, shards_total: total = 0 } = job.progress ?? {};
  const tone = { SUCCEEDED: "good", FAILED: "bad", CANCELLED: "bad" }[job.status] ?? "";
  return html`<${Bar} share=${shareOf(job)} tone=${tone} label=${`${done} of ${total} shards are done`} />`;
}

// A list has no progress: it is asked for when the row is seen, and again while the job runs.
export function SeenProgress({ job }) {
  const [box, seen] = useSeen();
  return html`<div ref=${box}>${seen && html`<${Asked} job=${job} />`}</div>`;
}

function Asked({ job }) {
  const read = (signal) => call("get_job", { job: job.id }, { signal });
  const found = useResource(read, [job.id, job.updated_at], { every: (now) => isOpen(now) && POLL });
  if (found.error) return html`<span class="hint" title=${found.error.message}>?</span>`;
  if (!found.data) return html`<span class="hint">…</span>`;
  const { progress } = found.data;
  if (!progress) return html`<span class="hint">${isOpen(found.data) ? "not begun" : "–"}</span>`;
  const left = isOpen(found.data) && progress.eta_seconds != null && `, ${span(progress.eta_seconds)} left`;
  const errors = progress.errors ? html`<span class="wrong">${count(progress.errors)} errors</span>` : "no errors";
  return html`<${ProgressBar} job=${found.data} /><span class="hint">${count(progress.rows)} rows, ${errors}${left}</span>`;
}
