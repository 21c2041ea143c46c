// The traffic of a model's versions over time, and where its aliases led meanwhile.
import { html, useMemo, useState } from "../../lib.js";
import { call } from "../../api.js";
import { colorOf, MARGIN, Plot, stack } from "../../charts.js";
import { clock, count } from "../../format.js";
import { Choice } from "../../inputs.js";
import { useResource } from "../../resource.js";
import { Loaded, Problem } from "../../ui.js";
import { entriesSince, Lanes, lanesOf } from "./lanes.js";
import { Moment } from "./moment.js";

const HOUR_MS = 3600_000;
const RANGES = [[1, "an hour"], [24, "a day"], [7 * 24, "7 days"], [30 * 24, "30 days"], [365 * 24, "a year"]];
const STEP_SECONDS = { minute: 60, hour: 3600, day: 86400 };
const EVERY_MS = 30_000;
const SIDES = { paddingLeft: `${MARGIN.left}px`, paddingRight: `${MARGIN.right}px` };
const MOST = 8; // versions with an area of their own

export function Timeline({ model }) {
  const [hours, setHours] = useState(Date.now() - Date.parse(model.created_at) < HOUR_MS ? 1 : 24);
  const [picked, setPicked] = useState(null);
  const from = () => Date.now() - hours * HOUR_MS;
  const query = () => ({ from: new Date(from()).toISOString(), by: "version" });
  const metrics = useResource((signal) => call("model_metrics", { model: model.name }, { signal, query: query() }), [model.name, hours], { every: EVERY_MS });
  const history = useResource((signal) => entriesSince(model.name, from(), signal), [model.name, hours], { again: model.etag });
  const lanes = history.data ? lanesOf(model, history.data, Date.now()) : {};
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Traffic and what was live</h2>
    <div class="row"><${Choice} label="Time" value=${hours} set=${(value) => setHours(Number(value))} options=${RANGES} /></div>
    <${Loaded} from=${metrics} rows=${6}>${(data) => html`<${Drawn} metrics=${data} lanes=${lanes} pick=${setPicked} />`}<//>
    ${history.error && html`<${Problem} error=${history.error} retry=${history.reload} />`}
    ${history.data?.isCut && html`<p class="hint">Changes before ${clock(history.data.since)} are too many to draw: ask for a moment.</p>`}
    <${Moment} model=${model.name} names=${Object.keys(model.aliases)} picked=${picked} /></section>`;
}

function Drawn({ metrics, lanes, pick }) {
  const [start, end] = [metrics.start, metrics.end].map(Date.parse);
  const { data, kinds } = useMemo(() => areas(metrics), [metrics]);
  const names = JSON.stringify(kinds);
  const series = useMemo(() => JSON.parse(names).map((kind) => ({ ...kind, value: own })), [names]); // the same one keeps the plot
  const span = useMemo(() => [start / 1000, end / 1000], [start, end]);
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    if (share >= 0 && share <= 1) pick(Math.round(start + share * (end - start)));
  };
  const text = metrics.series.map((one) => `version ${one.version}: ${count(one.total.requests)}`).join(", ");
  return html`${metrics.total.requests
      ? html`<${Plot} data=${data} series=${series} span=${span} stacked label=${`Requests by version and ${metrics.step}: ${text}`} />
        <p class="hint">Requests by ${metrics.step}. ${text}.</p>`
      : html`<p class="empty">No request in this time.</p>`}
    <div style=${SIDES} onClick=${point}><${Lanes} lanes=${lanes} start=${start} end=${end} /></div>`;
}

// What a series has of a sum: data[series + 1] is what lies below it.
const own = ({ data }, sum, series, place) => (place == null ? "–" : count(sum - (data[series + 1]?.[place] ?? 0)));

// What Plot takes, stacked: an area for each of the busiest versions, and one for all others.
function areas({ series, start, end, step }) {
  const [from, to] = [start, end].map((at) => Date.parse(at) / 1000);
  const times = Array.from({ length: Math.round((to - from) / STEP_SECONDS[step]) + 1 }, (_, place) => from + place * STEP_SECONDS[step]);
  const row = (some) => {
    const found = times.map(() => 0);
    for (const point of some.flatMap((one) => one.points)) {
      found[Math.round((Date.parse(point.at) / 1000 - from) / STEP_SECONDS[step])] += point.requests;
    }
    found[found.length - 1] = found.at(-2); // the last step goes on to its end
    return found;
  };
  const busy = series.filter((one) => one.total.requests).sort((a, b) => b.total.requests - a.total.requests);
  const shown = busy.slice(0, MOST).sort((a, b) => b.version - a.version);
  const kinds = shown.map((one) => ({ label: `v${one.version}`, color: colorOf(one.version), rows: row([one]) }));
  if (busy.length > MOST) kinds.push({ label: "others", color: "muted", rows: row(busy.slice(MOST)) });
  return { data: [times, ...stack(kinds.map((kind) => kind.rows))], kinds: kinds.map(({ label, color }) => ({ label, color })) };
}
