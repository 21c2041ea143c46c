// Requests and errors of a model's last day. Asked for when the row is seen: a long list costs no more than what is looked at.
import { html, useMemo } from "../../lib.js";
import { call } from "../../api.js";
import { Spark } from "../../charts.js";
import { count } from "../../format.js";
import { useResource, useSeen } from "../../resource.js";
import { modelPath, to } from "../../router.js";

const HOURS = 24;
const HOUR_MS = 3600_000;

export function LastDay({ model }) {
  const [box, seen] = useSeen();
  return html`<div ref=${box}>${seen && !model.deleted_at ? html`<${Drawn} model=${model.name} />` : "–"}</div>`;
}

function Drawn({ model }) {
  const hours = useMemo(() => Math.floor(Date.now() / HOUR_MS), []);
  const from = new Date((hours - HOURS + 1) * HOUR_MS).toISOString();
  const found = useResource((signal) => call("model_metrics", { model }, { signal, query: { from, step: "hour" } }), [model]);
  if (found.error) return html`<span class="hint" title=${found.error.message}>not known</span>`;
  if (!found.data) return html`<span class="hint">…</span>`;
  const requests = Array(HOURS).fill(0);
  const errors = Array(HOURS).fill(0);
  for (const point of found.data.series.flatMap((one) => one.points)) {
    const place = Math.floor(Date.parse(point.at) / HOUR_MS) - hours + HOURS - 1;
    if (!(place in requests)) continue; // an hour that began meanwhile
    requests[place] += point.requests;
    errors[place] += point.errors;
  }
  const { total } = found.data;
  const label = `${count(total.requests)}: metrics of ${model}`;
  return html`<div class="row"><a href=${to(modelPath(model, "/metrics"))} aria-label=${label}>${count(total.requests)}</a>
      <${Spark} values=${requests} label=${`requests by hour, ${total.requests} in all`} /></div>
    ${total.errors > 0 && html`<div class="row"><span class="wrong">${count(total.errors)} failed</span>
      <${Spark} tone="bad" values=${errors} label=${`errors by hour, ${total.errors} in all`} /></div>`}`;
}
