// What a model did: requests, failures, latencies, costs, over a time of one's choice.
import { html, useState } from "../lib.js";
import { call } from "../api.js";
import { useResource } from "../resource.js";
import { go, modelPath, to } from "../router.js";
import { Empty, Field, Loaded, Page } from "../ui.js";
import { Numbers } from "./metrics/numbers.js";
import { Plots } from "./metrics/plots.js";
import { PERCENTILES } from "./metrics/series.js";
import { BySeries, Cards, Reasons } from "./metrics/totals.js";

const RANGES = { hour: 3600, day: 86_400, week: 7 * 86_400, month: 30 * 86_400 }; // seconds up to now
const LIVE = 10_000; // ms: environments write their counts every ten seconds

export default function Metrics({ model, query }) {
  const { range = "hour", by = "version", since = "", until = "" } = query;
  const [percentile, setPercentile] = useState("p95_ms");
  const isOwn = range === "own";
  const isAsked = !isOwn || (isTime(since) && isTime(until));
  const metrics = useResource((signal) => (isAsked ? call("model_metrics", { model }, { signal, query: { by, ...spanOf(range, since, until) } }) : null), [model, range, by, since, until], { every: range === "hour" && LIVE });
  const choose = (changed) => go(modelPath(model, "/metrics"), { range, by, since, until, ...changed });
  const pick = (name, label, value, options) => html`<${Field} label=${label}>${(id) => html`<select id=${id} value=${value} onChange=${(event) => choose({ [name]: event.target.value })}>
    ${options.map(([option, says]) => html`<option value=${option}>${says}</option>`)}</select>`}<//>`;
  const time = (name, label, value) => html`<${Field} label=${label}>${(id) => html`<input id=${id} type="datetime-local" value=${value} onChange=${(event) => choose({ [name]: event.target.value })} />`}<//>`;
  return html`<${Page} title=${`Metrics of ${model}`} crumbs=${[["Models", to("/")], [model, to(modelPath(model))]]}>
    <form class="row" onSubmit=${(event) => event.preventDefault()}>
      ${pick("range", "Time", range, [...Object.keys(RANGES).map((one) => [one, `last ${one}`]), ["own", "from … to …"]])}
      ${isOwn && html`${time("since", "From", since)}${time("until", "To", until)}`}
      ${pick("by", "Split by", by, [["version", "version"], ["alias", "alias"]])}
      ${metrics.data?.series.length > 1 && html`<${Field} label="Latency">${(id) => html`<select id=${id} value=${percentile} onChange=${(event) => setPercentile(event.target.value)}>
        ${PERCENTILES.map((name) => html`<option value=${name}>${name.replace("_ms", "")}</option>`)}</select>`}<//>`}
      ${range === "hour" && html`<span class="hint">Read anew every 10 seconds.</span>`}</form>
    ${!isAsked ? html`<${Empty}>Choose when it begins and when it ends.<//>` : html`<${Loaded} from=${metrics} rows=${8}>${(found) => html`
      ${found?.series.length ? html`<${Cards} metrics=${found} /><${Plots} metrics=${found} percentile=${percentile} />
        <${Reasons} metrics=${found} /><${BySeries} metrics=${found} /><${Numbers} metrics=${found} />`
        : html`<${Empty}>Nothing was counted in this time. Counts are there some ten seconds after the requests.<//>`}`}<//>`}<//>`;
}

const isTime = (text) => !Number.isNaN(Date.parse(text));

// What the API is asked for; it chooses the finest step that gives at most 400 points.
function spanOf(range, since, until) {
  if (range === "own") return { from: new Date(since).toISOString(), to: new Date(until).toISOString() };
  return { from: new Date(Date.now() - (RANGES[range] ?? RANGES.hour) * 1000).toISOString() };
}
