// Numbers and times as people read them.
const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const whole = new Intl.NumberFormat("en");
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

export const count = (value) => (value == null ? "–" : whole.format(value));
export const percent = (share) => (share == null ? "–" : `${(share * 100).toFixed(share < 0.1 && share > 0 ? 2 : 1)} %`);
export const usd = (value) => (value == null ? "–" : `$${value >= 0.01 ? value.toFixed(2) : small.format(value)}`);
export const shape = (dims) => `[${dims.map((dim) => (dim === -1 ? "?" : dim)).join(", ")}]`;

// An answer's message as a sentence. A message that begins with the name of a field or a caller keeps it as it is.
export function sentence(text) {
  if (!text) return "";
  return (/^[a-z]+ /.test(text) ? text[0].toUpperCase() : text[0]) + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

export function bytes(value) {
  if (value == null) return "–";
  const power = Math.min(4, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  const scaled = value / 1000 ** power;
  return `${power && scaled < 100 ? scaled.toPrecision(3) : Math.round(scaled)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

export function ms(value) {
  if (value == null) return "–";
  return value >= 1000 ? `${(value / 1000).toPrecision(3)} s` : `${Number(value.toPrecision(3))} ms`;
}

export function ago(at, now = Date.now()) {
  const seconds = (Date.parse(at) - now) / 1000;
  const [size, unit] = UNITS.find(([size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  return relative.format(Math.round(seconds / size), unit);
}

export function span(seconds) {
  if (seconds == null) return "–";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export const clock = (at) => new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
