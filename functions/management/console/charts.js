// Drawings: small ones as SVG of our own, time series by uPlot, which loads when one is first shown.
import { html, useEffect, useRef } from "./lib.js";

export const SERIES = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];

// A line without axes. `label` says what it shows, since it has no text.
export function Spark({ values, label, tone = "" }) {
  const most = Math.max(...values, 1);
  const step = 100 / Math.max(values.length - 1, 1);
  const points = values.map((value, place) => `${(place * step).toFixed(1)},${(23 - (value / most) * 22).toFixed(1)}`);
  return html`<svg class=${`spark ${tone}`} viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=${label}>
    <polyline points=${points.join(" ")} /></svg>`;
}

// A version has one colour everywhere.
export const colorOf = (version) => `c${((version - 1) % 6) + 1}`;

// The routes of an alias: [{version, weight}] as a bar whose parts are as wide as their share.
export function SplitBar({ routes, label = "" }) {
  const said = routes.map((route) => `version ${route.version}: ${route.weight} %`).join(", ");
  return html`<span class="split" role="img" aria-label=${`${label} ${said}`.trim()} title=${said}>
    ${routes.map((route) => html`<span key=${route.version} class=${colorOf(route.version)} style=${{ flexGrow: route.weight }}>${route.weight >= 15 ? `v${route.version}` : ""}</span>`)}</span>`;
}

// A share from 0 to 1 as a bar.
export function Bar({ share, label, tone = "" }) {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return html`<span class=${`bar ${tone}`} role="img" aria-label=${label}><span style=${{ width }} /></span>`;
}

// data: [seconds, values, …], series: [{label, stack?, value?}], as uPlot takes them.
export function Plot({ data, series, label, stacked = false, height = 220, unit = "" }) {
  const box = useRef();
  useEffect(() => {
    let plot;
    let watch;
    let gone = false;
    (async () => {
      const { default: UPlot } = await import("./vendor/uplot.js");
      if (gone) return;
      const style = getComputedStyle(document.documentElement);
      const color = (name) => style.getPropertyValue(name).trim();
      const lines = series.map((one, place) => {
        const stroke = color(SERIES[place % 6]);
        return { spanGaps: true, stroke, width: 1.5, fill: stacked ? stroke : undefined, points: { show: data[0].length < 40 }, ...one };
      });
      const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
      const options = {
        width: box.current.clientWidth, height, series: [{}, ...lines],
        axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) }],
        scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.05 : 1] } },
      };
      plot = new UPlot(options, data, box.current);
      watch = new ResizeObserver(() => plot.setSize({ width: box.current.clientWidth, height }));
      watch.observe(box.current);
    })();
    return () => { gone = true; watch?.disconnect(); plot?.destroy(); };
  }, [data, series, stacked, height]);
  return html`<div class="plot" ref=${box} role="img" aria-label=${label}></div>`;
}

// Values summed from the last series to the first, so that areas lie on each other: uPlot draws the first at the back.
export function stack(rows) {
  const sums = [];
  let below = rows[0]?.map(() => 0) ?? [];
  for (const row of [...rows].reverse()) {
    below = row.map((value, place) => (value ?? 0) + below[place]);
    sums.unshift(below);
  }
  return sums;
}
