// A plot for each figure that has any counts, and one for latencies.
import { html, useMemo } from "../../lib.js";
import { Plot } from "../../charts.js";
import { ms } from "../../format.js";
import { dataOf, figuresWith, linesOf, PERCENTILES, timesOf } from "./series.js";

const HEIGHT = 150;
const SYNC = "metrics";
const DOT = { show: true, size: 4 }; // a latency between two gaps has no line

export function Plots({ metrics, percentile }) {
  const times = useMemo(() => timesOf(metrics), [metrics]);
  const names = JSON.stringify(linesOf(metrics));
  const lines = useMemo(() => JSON.parse(names), [names]); // the same array while the series are the same, so that a plot stays
  const [requests, ...others] = figuresWith(metrics);
  const drawn = (figure) => html`<${Counts} key=${figure.title} metrics=${metrics} times=${times} lines=${lines} figure=${figure} />`;
  return html`<h2>By ${metrics.step}</h2><div class="split-view">${drawn(requests)}
    <${Latency} metrics=${metrics} times=${times} lines=${lines} percentile=${percentile} />${others.map(drawn)}</div>`;
}

function Counts({ metrics, times, lines, figure }) {
  const data = useMemo(() => dataOf(metrics, times, figure.of, 0), [metrics, times, figure]);
  const series = useMemo(() => lines.map((one) => ({ ...one, points: { show: times.length < 3 } })), [lines, times.length < 3]);
  const all = figure.format(figure.of(metrics.total));
  return html`<section><h3>${figure.title} <span class="hint">${all} in all</span></h3>
    <${Plot} data=${data} series=${series} height=${HEIGHT} format=${figure.format} sync=${SYNC}
      label=${`${figure.title} by ${metrics.step}: ${all} in all. The table below has the numbers.`} /></section>`;
}

// One series has all its percentiles, several have the chosen one each.
function Latency({ metrics, times, lines, percentile }) {
  const isOne = lines.length === 1;
  const data = useMemo(() => {
    const wanted = isOne ? PERCENTILES : [percentile];
    return [times, ...wanted.flatMap((name) => dataOf(metrics, times, (point) => point[name], null).slice(1))];
  }, [metrics, times, percentile, isOne]);
  const series = useMemo(() => {
    const named = isOne ? PERCENTILES.map((name, place) => ({ label: shortOf(name), color: `c${place + 1}` })) : lines;
    return named.map((one) => ({ ...one, spanGaps: false, points: DOT }));
  }, [lines, isOne]);
  return html`<section><h3>Latency <span class="hint">${isOne ? "p50, p95, p99" : shortOf(percentile)}</span></h3>
    <${Plot} data=${data} series=${series} height=${HEIGHT} format=${ms} sync=${SYNC}
      label=${`Latency by ${metrics.step}. The table below has the numbers.`} /></section>`;
}

const shortOf = (name) => name.replace("_ms", "");
