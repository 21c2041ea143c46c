// What two versions did in a span of time, and how their answers compared as a shadow.
import { html, useMemo } from "../../lib.js";
import { call } from "../../api.js";
import { bytes, count, ms, percent, usd } from "../../format.js";
import { Choice } from "../../inputs.js";
import { useResource } from "../../resource.js";
import { Loaded } from "../../ui.js";
import { amount, Facts } from "./facts.js";

const HOUR = 3600_000;
export const SPANS = { "last hour": HOUR, "last day": 24 * HOUR, "last 7 days": 7 * 24 * HOUR, "last 30 days": 30 * 24 * HOUR };
const NOISE = 0.091; // percentiles are within this share: docs/api.md

export function Traffic({ model, a, b, span, onSpan }) {
  const from = useMemo(() => new Date(Date.now() - SPANS[span]).toISOString(), [span]);
  const found = useResource((signal) => call("model_metrics", { model }, { signal, query: { from, by: "version" } }), [model, from]);
  return html`<h2>Traffic</h2>
    <${Choice} label="Time" value=${span} set=${onSpan} options=${Object.keys(SPANS).map((one) => [one, one])} />
    <${Loaded} from=${found}>${({ series }) => {
      const [one, other] = [a, b].map((version) => series.find((of) => String(of.version) === version));
      return html`<${Facts} title="Requests" a=${a} b=${b} rows=${requests(one, other)} />
        ${(one?.total.shadow || other?.total.shadow) && html`<${Facts} title="As a shadow" a=${a} b=${b}
          rows=${shadow(one?.total.shadow, other?.total.shadow)} />
          <p class="hint">A version's answers as a shadow are compared with those that callers got.</p>`}`;
    }}<//>`;
}

const share = (part, whole) => (whole ? part / whole : null);

function requests(one, other) {
  const [x, y] = [one?.total ?? {}, other?.total ?? {}];
  return [
    amount("Requests", x.requests ?? 0, y.requests ?? 0, count),
    amount("Failed (5xx)", share(x.errors, x.requests), share(y.errors, y.requests), percent),
    amount("Refused (4xx)", share(x.refused, x.requests), share(y.refused, y.requests), percent),
    amount("Half are faster than", x.p50_ms, y.p50_ms, ms, NOISE),
    amount("95 % are faster than", x.p95_ms, y.p95_ms, ms, NOISE),
    amount("99 % are faster than", x.p99_ms, y.p99_ms, ms, NOISE),
    amount("Cold loads", x.cold_loads ?? 0, y.cold_loads ?? 0, count),
    amount("Bytes out", x.bytes_out ?? 0, y.bytes_out ?? 0, bytes),
    amount("Records of jobs", x.records ?? 0, y.records ?? 0, count),
    amount("Cost", one?.cost?.usd, other?.cost?.usd, usd),
    amount("Cost of 1,000 requests", one?.cost?.usd_per_1000_requests, other?.cost?.usd_per_1000_requests, usd, NOISE),
  ];
}

function shadow(one, other) {
  const [x, y] = [one ?? {}, other ?? {}];
  return [
    amount("Compared", x.compared ?? 0, y.compared ?? 0, count),
    amount("With another answer", share(x.mismatched, x.compared), share(y.mismatched, y.compared), percent),
    amount("Failed", x.failed ?? 0, y.failed ?? 0, count),
    amount("Dropped", x.dropped ?? 0, y.dropped ?? 0, count),
    amount("Largest difference, at most", x.largest_difference, y.largest_difference, (value) => String(Number(value.toPrecision(3)))),
  ];
}
