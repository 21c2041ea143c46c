// Drawings: small ones as SVG of our own, time series by uPlot, which loads when one is first shown.
import { html, useEffect, useRef, useState } from "./lib.js";
import { clock } from "./format.js";

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

// Where the time axis of a Plot lies, in pixels from its left and right: for what is drawn below it.
export const MARGIN = { left: 64, right: 22 };

// data: [seconds, values, …], series: [{label, color?, value?}], as uPlot takes them; `color` is a name as of colorOf.
// `span`: [from, to] of the time axis. Stacked values are those of whole steps. `format` writes a value of the legend or (then with true) the axis;
// plots of the same `sync` show the values of one time together. New data alone keeps the plot, and what is pointed at.
export function Plot({ data, series, label, stacked = false, height = 220, format = String, span, sync }) {
  const box = useRef();
  const [isMissing, setMissing] = useState(false);
  const drawn = useRef({}); // the plot, and the newest data for one that still loads
  drawn.current.data = data;
  useEffect(() => {
    let watch;
    let gone = false;
    (async () => {
      const { default: UPlot } = await import("./vendor/uplot.js").catch(() => ({}));
      if (!UPlot) return setMissing(true);
      if (gone || !box.current) return; // it may begin when the page is left
      const color = (name) => { // a canvas knows neither variables nor light-dark()
        box.current.style.color = `var(${name})`;
        return getComputedStyle(box.current).color;
      };
      const lines = series.map((one, place) => {
        const stroke = color(one.color ? `--${one.color}` : SERIES[place % 6]);
        const value = (_plot, found) => (found == null ? "–" : format(found));
        return { spanGaps: true, stroke, width: 1.5, fill: stacked ? stroke : undefined, points: { show: !stacked && data[0].length < 40 }, value, ...one,
          ...(stacked ? { paths: UPlot.paths.stepped({ align: 1 }) } : {}) };
      });
      const times = (_plot, ticks, _axis, _space, step) => ticks.map((tick) => timeText(tick, step));
      const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
      const options = {
        width: box.current.clientWidth, height,
        series: [{ value: (_plot, at) => (at == null ? "–" : clock(at * 1000)) }, ...lines],
        cursor: sync ? { sync: { key: sync } } : {},
        padding: [8, MARGIN.right, 0, 0],
        axes: [{ ...axis, values: times }, { ...axis, size: MARGIN.left, values: (_, ticks) => ticks.map((tick) => format(tick, true)) }],
        scales: { ...(span ? { x: { range: () => span } } : {}), y: { range: (_, low, high) => [0, high > 0 ? high * 1.05 : 1] } },
      };
      box.current.style.color = "";
      const plot = new UPlot(options, drawn.current.data, box.current);
      drawn.current.plot = plot;
      watch = new ResizeObserver(() => box.current && plot.setSize({ width: box.current.clientWidth, height }));
      watch.observe(box.current);
    })();
    return () => { gone = true; watch?.disconnect(); drawn.current.plot?.destroy(); drawn.current.plot = null; };
  }, [series, stacked, height, span]);
  useEffect(() => { if (drawn.current.plot && drawn.current.plot.data !== data) drawn.current.plot.setData(data); }, [data]);
  if (isMissing) return html`<p class="wrong" role="alert">The drawing was not found: the console was probably updated. Reload it.</p>`;
  return html`<div class="plot" ref=${box} style=${{ minHeight: `${height}px` }} role="img" aria-label=${label}></div>`;
}

// A tick of the time axis, by the step between two: the hour of a day, or the day.
function timeText(seconds, step) {
  const hour = step < 86400 && new Date(seconds * 1000).toLocaleTimeString("en-GB", { timeStyle: "short" });
  if (hour && hour !== "00:00") return hour;
  return new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
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
