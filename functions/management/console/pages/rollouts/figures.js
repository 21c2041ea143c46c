// What the guard sees of both versions since the rollout began, each figure with its tests.
import { html } from "../../lib.js";
import { count, percent } from "../../format.js";
import { Table } from "../../ui.js";
import { Rate, scaleOf } from "./interval.js";

const SLOW_SHARE = 0.05; // of requests that may take longer than p95_ms

// Each figure: its counts, and its tests of the guard: against the stable version, against a limit.
function figuresOf({ guards }) {
  const { error_rate: errors, p95_ms: slow, shadow_mismatch: mismatch } = guards;
  const found = [
    { title: "Errors (5xx)", bad: "errors", of: "requests", against: "errors", beyond: "error_rate", limit: errors },
    { title: "Refused (4xx)", bad: "refused", of: "requests", against: "refused" },
  ];
  const slower = { title: `Slower than ${slow} ms`, bad: "slow", of: "requests", against: "slower", beyond: "p95_ms", limit: SLOW_SHARE };
  const differs = { title: "Shadow differs", bad: "mismatched", of: "compared", beyond: "shadow_mismatch", limit: mismatch };
  if (slow != null) found.push(slower);
  if (mismatch != null) found.push(differs);
  return found;
}

export function Figures({ rollout }) {
  const { canary, stable, expected, breached } = rollout.decision.figures;
  const rate = (figure, counted) => {
    const scale = scaleOf([canary, stable].map((one) => [one[figure.bad], one[figure.of]]), figure.limit ?? 0);
    return html`<${Rate} bad=${counted[figure.bad]} all=${counted[figure.of]} scale=${scale} limit=${figure.limit} />`;
  };
  const columns = [
    ["Figure", (figure) => html`<strong>${figure.title}</strong>`],
    [`Canary, v${rollout.version}`, (figure) => rate(figure, canary), "wide"],
    [`Stable, v${rollout.stable}`, (figure) => (figure.against ? rate(figure, stable) : "–"), "wide"],
    ["Expected of the canary", (figure) => html`<${Expected} figure=${figure} expected=${expected} />`],
    ["Guard", (figure) => html`<${Tests} figure=${figure} breached=${breached} expected=${expected} />`],
  ];
  return html`<${Table} caption="Figures of the guard" columns=${columns} rows=${figuresOf(rollout)} keyOf=${(figure) => figure.title} />
    <p class="hint">Counted since the rollout began: ${count(canary.requests)} requests of the canary, ${count(stable.requests)} of the stable
      version. The intervals are there to read the shares by; the guard decides by exact tests that hold over all its looks.</p>`;
}

function Expected({ figure, expected }) {
  const alike = expected[figure.against];
  const most = expected[figure.beyond];
  return html`${alike !== undefined && html`<div>${alike} were they alike</div>`}
    ${most !== undefined && html`<div>${most} at the limit of ${percent(figure.limit)}</div>`}`;
}

function Tests({ figure, breached, expected }) {
  return [figure.against, figure.beyond].filter((name) => name in expected).map((name) => html`<div key=${name}>
    <code>${name}</code> ${breached.includes(name) ? html`<strong class="wrong">breached</strong>` : html`<span class="fine">holds</span>`}</div>`);
}
