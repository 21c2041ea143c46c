// The parts that pages are made of.
import { html, signal, useEffect, useState } from "./lib.js";
import { ago, clock, sentence } from "./format.js";

const told = signal("");
let clearing;

// Says in the corner, and to screen readers, that something was done.
export function tell(text) {
  told.value = text;
  clearTimeout(clearing);
  clearing = setTimeout(() => (told.value = ""), 6000);
}

export const Told = () => html`<div class="told" role="status" aria-live="polite">${told.value && html`<p>${told.value}</p>`}</div>`;

export function Page({ title, crumbs = [], actions, children }) {
  useEffect(() => { document.title = `${title} · MaaS`; }, [title]);
  return html`<header class="head">
      ${crumbs.length > 0 && html`<nav class="crumbs" aria-label="Breadcrumb">${crumbs.map(([name, href]) => html`<a href=${href}>${name}</a>`)}</nav>`}
      <h1 tabindex="-1">${title}</h1>
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>${children}`;
}

// What a resource has: bones while it loads, a problem, or `children(data)`.
export function Loaded({ from, rows = 4, children }) {
  if (from.data !== undefined) {
    return html`${from.error && html`<${Problem} error=${from.error} retry=${from.reload} />`}${children(from.data)}`;
  }
  if (from.error) return html`<${Problem} error=${from.error} retry=${from.reload} />`;
  return html`<div class="bones" role="status" aria-label="Loading">${Array.from({ length: rows }, () => html`<span />`)}</div>`;
}

const ADVICE = {
  0: "Look at your connection, then try again.",
  403: "Ask for a key with the scope that is named, or log in with another one.",
  412: "Somebody else changed it meanwhile: look at the new values, then change it again.",
  429: "Wait a moment, then try again.",
  500: "The function's log has more, under the request id.",
  503: "Try again in a moment.",
  504: "Try again; a first request loads the model.",
};

export function Problem({ error, retry }) {
  const message = error.status === 412 ? "" : error.message || String(error); // its advice says all
  return html`<div class="problem" role="alert"><p>${sentence(message)} ${ADVICE[error.status]}</p>
    ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}</div>`;
}

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;
const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 30_000);
// How long ago, also while the page stays open.
export const Time = ({ at }) => (at ? html`<time datetime=${at} title=${clock(at)}>${now.value && ago(at)}</time>` : "–");
export const Status = ({ value }) => html`<span class="status" data-status=${value}>${value.toLowerCase().replaceAll("_", " ")}</span>`;
export const Tags = ({ tags }) => html`<span>${Object.entries(tags).map(([name, value]) => html`<span class="tag">${name}=${value}</span>`)}</span>`;

// The beginning of a SHA-256, and all of it for the pointer.
export const Digest = ({ of }) => (of ? html`<span class="mono" title=${of}>${of.slice(0, 12)}…</span>` : "–");

// columns: [[title, (row) => cell, class?]].
export function Table({ caption, columns, rows, keyOf, empty }) {
  if (!rows.length && empty) return html`<${Empty}>${empty}<//>`;
  return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0"><table><caption class="hidden">${caption}</caption>
    <thead><tr>${columns.map(([title, , kind]) => html`<th scope="col" class=${kind}>${title}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf?.(row)}>${columns.map(([, cell, kind]) => html`<td class=${kind}>${cell(row)}</td>`)}</tr>`)}</tbody></table></div>`;
}

let ids = 0;
// A label with its control: children(id, describedBy).
export function Field({ label, hint, error, children }) {
  const [id] = useState(() => `field-${++ids}`);
  const about = hint || error ? `${id}-about` : undefined;
  return html`<div class="field"><label for=${id}>${label}</label>${children(id, about)}
    ${about && html`<p id=${about} class=${error ? "wrong" : "hint"}>${error || hint}</p>`}</div>`;
}

// Runs an action once at a time: {run, busy, error}.
export function useAction(act) {
  const [state, setState] = useState({ busy: false });
  const run = async (event) => {
    event?.preventDefault?.();
    if (state.busy) return;
    setState({ busy: true });
    try {
      await act(event);
      setState({ busy: false });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return { run, ...state };
}

// The button under a list of usePages.
export function More({ from }) {
  const { run, busy, error } = useAction(from.more);
  return html`${error && html`<${Problem} error=${error} />`}
    ${from.more && html`<p><button type="button" disabled=${busy} onClick=${run}>${busy ? "Loading…" : "Show more"}</button></p>`}`;
}

// `what` is copied, for whom sees no more than the button.
export function Copy({ text, what }) {
  const copy = async () => {
    // Without https there is no clipboard, and a visitor may forbid it.
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    tell(copied ? "Copied." : "This browser does not let the page copy: select the text, and copy it.");
  };
  return html`<button type="button" class="small" aria-label=${what && `Copy ${what}`} onClick=${copy}>Copy</button>`;
}

export const Code = ({ text }) => html`<div class="code"><pre tabindex="0">${text}</pre><${Copy} text=${text} /></div>`;

// A figure with its title, and what else is to say in small.
export function Card({ title, value, more }) {
  return html`<dl class="card"><dt>${title}</dt><dd><b>${value}</b> ${more && html`<span class="hint">${more}</span>`}</dd></dl>`;
}
