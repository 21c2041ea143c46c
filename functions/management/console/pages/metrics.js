// What a model did: requests, failures, latencies, costs, over a time of one's choice.
import { html, useState } from "../lib.js";
import { call } from "../api.js";
import { localText } from "../format.js";
import { Choice, Text } from "../inputs.js";
import { useResource } from "../resource.js";
import { go, modelPath, to } from "../router.js";
import { Empty, Loaded, Page } from "../ui.js";
import { Numbers } from "./metrics/numbers.js";
import { Plots } from "./metrics/plots.js";
import { PERCENTILES } from "./metrics/series.js";
import { BySeries, Cards, Reasons } from "./metrics/totals.js";

const RANGES = { hour: 3600, day: 86_400, week: 7 * 86_400, month: 30 * 86_400 }; // seconds up to now
const TIMES = [...Object.keys(RANGES).map((one) => [one, `last ${one}`]), ["own", "from … to …"]];
const SPLITS = [["version", "version"], ["alias", "alias"]];
const SHARES = PERCENTILES.map((name) => [name, name.replace("_ms", "")]);
const LIVE = 10_000; // ms: environments write their counts every ten seconds

export default function Metrics({ model, query }) {
  const { range = "hour", by = "version", since = "", until = "" } = query;
  const [percentile, setPercentile] = useState("p95_ms");
  const isOwn = range === "own";
  const isAsked = !isOwn || (isTime(since) && isTime(until));
  const read = (signal) => (isAsked ? call("model_metrics", { model }, { signal, query: { by, ...spanOf(range, since, until) } }) : null);
  const metrics = useResource(read, [model, range, by, since, until], { every: range === "hour" && LIVE });
  const put = (more) => go(modelPath(model, "/metrics"), { range, by, since, until, ...more });
  const choose = (name) => (value) => put({ [name]: value });
  return html`<${Page} title=${`Metrics of ${model}`} crumbs=${[["Models", to("/")], [model, to(modelPath(model))]]}>
    <div class="row">
      <${Choice} label="Time" value=${range} set=${choose("range")} options=${TIMES} />
      ${isOwn && html`<${Own} since=${since} until=${until} put=${put} />`}
      <${Choice} label="Split by" value=${by} set=${choose("by")} options=${SPLITS} />
      ${metrics.data?.series.length > 1 && html`<${Choice} label="Latency" value=${percentile} set=${setPercentile} options=${SHARES} />`}
      ${range === "hour" && html`<span class="hint">Read anew every 10 seconds.</span>`}</div>
    ${!isAsked ? html`<${Empty}>Choose when it begins and when it ends.<//>` : html`<${Loaded} from=${metrics} rows=${8}>${(found) => html`
      ${found?.series.length ? html`<${Cards} metrics=${found} /><${Plots} metrics=${found} percentile=${percentile} />
        <${Reasons} metrics=${found} /><${BySeries} metrics=${found} /><${Numbers} metrics=${found} />`
        : html`<${Empty}>Nothing was counted in this time. Counts are there some ten seconds after the requests.<//>`}`}<//>`}<//>`;
}

// Typed in the time zone of this browser; the address has UTC, so that it says the same to everybody.
function Own({ since, until, put }) {
  const textOf = (time) => (isTime(time) ? localText(time).slice(0, "2026-01-31T12:00".length) : "");
  const [typed, setTyped] = useState({ since: textOf(since), until: textOf(until) });
  const show = (event) => {
    event.preventDefault();
    put(Object.fromEntries(Object.entries(typed).map(([name, text]) => [name, new Date(text).toISOString()])));
  };
  const time = (name, label) => html`<${Text} type="datetime-local" label=${label} required value=${typed[name]}
    set=${(text) => setTyped({ ...typed, [name]: text })} />`;
  return html`<form class="row" onSubmit=${show}>${time("since", "From")}${time("until", "To")}<button type="submit">Show</button></form>`;
}

const isTime = (text) => !Number.isNaN(Date.parse(text));

// What the API is asked for; it chooses the finest step that gives at most 400 points.
function spanOf(range, since, until) {
  if (range === "own") return { from: new Date(since).toISOString(), to: new Date(until).toISOString() };
  return { from: new Date(Date.now() - (RANGES[range] ?? RANGES.hour) * 1000).toISOString() };
}
