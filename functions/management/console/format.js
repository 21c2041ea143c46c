// Numbers and times as people read them.
const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const whole = new Intl.NumberFormat("en");
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const count = (value) => (value == null ? "–" : whole.format(value));
export const percent = (share) => (share == null ? "–" : `${three.format(share * 100)} %`);
export const usd = (value) => (value == null ? "–" : `$${(value >= 1 ? cents : small).format(value)}`);
export const shape = (dims) => `[${dims.map((dim) => (dim === -1 ? "?" : dim)).join(", ")}]`;

// An answer's message as a sentence. A message that begins with the name of a field or a caller keeps it as it is.
export function sentence(text) {
  if (!text) return "";
  return (/^[a-z]+ /.test(text) ? text[0].toUpperCase() : text[0]) + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

export function bytes(value) {
  if (value == null) return "–";
  const power = Math.min(4, Math.floor(Math.log10(Math.max(value, 1) * 1.0005) / 3)); // none is 1,000 kB
  const scaled = value / 1000 ** power;
  return `${power && scaled < 100 ? scaled.toPrecision(3) : whole.format(Math.round(scaled))} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

export function ms(value) {
  if (value == null) return "–";
  if (value >= 100_000) return span(value / 1000);
  return value >= 1000 ? `${(value / 1000).toPrecision(3)} s` : `${Number(value.toPrecision(3))} ms`;
}

export function ago(at) {
  const seconds = (Date.parse(at) - Date.now()) / 1000;
  const [size, unit] = UNITS.find(([size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  return relative.format(Math.round(seconds / size), unit);
}

export function span(seconds) {
  if (seconds == null) return "–";
  if (seconds < 59.5) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`;
  return `${count(Number((seconds / 3600).toFixed(1)))} h`;
}

// A time as an input of type datetime-local takes it, in this browser's time zone.
export function localText(at) {
  const time = new Date(at);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export const clock = (at) => new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
