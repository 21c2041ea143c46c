// The answer of the metrics as series with a value for each step: no count is 0, no latency is a gap.
import { count, bytes, ms } from "../../format.js";
import { colorOf } from "../../charts.js";

const STEPS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

const compact = new Intl.NumberFormat("en", { notation: "compact" });

// A tick between two whole numbers is no count, and has little room.
function counts(value, isTick) {
  if (!Number.isInteger(value)) return "";
  return isTick && value >= 1e5 ? compact.format(value) : count(value);
}
const shadow = (name) => (one) => one.shadow?.[name] ?? 0;
const plain = (name) => (one) => one[name];

// Of each figure: its title, its value in a point or a total, how it is written, and whether it is drawn without any.
const FIGURES = [
  { title: "Requests", of: plain("requests"), format: counts, always: true },
  { title: "Errors (5xx)", of: plain("errors"), format: counts, always: true },
  { title: "Refused (4xx)", of: plain("refused"), format: counts, always: true },
  { title: "Cold loads", of: plain("cold_loads"), format: counts },
  { title: "Compute time", of: plain("compute_ms"), format: ms },
  { title: "Rows", of: plain("rows"), format: counts },
  { title: "Bytes in", of: plain("bytes_in"), format: bytes },
  { title: "Bytes out", of: plain("bytes_out"), format: bytes },
  { title: "Records of jobs", of: plain("records"), format: counts },
  { title: "Bad records", of: plain("record_errors"), format: counts },
  { title: "Shadow: compared", of: shadow("compared"), format: counts },
  { title: "Shadow: different", of: shadow("mismatched"), format: counts },
  { title: "Shadow: failed", of: shadow("failed"), format: counts },
  { title: "Shadow: dropped", of: shadow("dropped"), format: counts },
  { title: "Captured", of: plain("captured"), format: counts },
  { title: "Captures lost", of: plain("capture_dropped"), format: counts },
];
export const PERCENTILES = ["p50_ms", "p95_ms", "p99_ms"];

export const nameOf = (one) => (one.version != null ? `v${one.version}` : one.alias || "no alias");
const colored = (one, place) => (one.version != null ? colorOf(one.version) : `c${(place % 6) + 1}`);

// [{label, color}] of the series, as Plot takes them.
export const linesOf = (metrics) => metrics.series.map((one, place) => ({ label: nameOf(one), color: colored(one, place) }));

// The beginnings of all steps, in seconds.
export function timesOf({ start, end, step }) {
  const times = [];
  for (let at = Date.parse(start); at < Date.parse(end); at += STEPS[step]) times.push(at / 1000);
  return times;
}

// [times, values of each series], `missing` where a step has no point.
export function dataOf(metrics, times, of, missing) {
  const rows = metrics.series.map(({ points }) => {
    const values = times.map(() => missing);
    for (const point of points) values[Math.round((Date.parse(point.at) / 1000 - times[0]) / (STEPS[metrics.step] / 1000))] = of(point);
    return values;
  });
  return [times, ...rows];
}

export const figuresWith = (metrics) => FIGURES.filter(({ of, always }) => always || of(metrics.total) > 0);
