// Who created and changed a version: the entries of the model's history that are its own, back to its creation.
import { html } from "../../lib.js";
import { entriesUntil } from "../../entries.js";
import { clock, count } from "../../format.js";
import { useResource } from "../../resource.js";
import { Loaded, Table, Time } from "../../ui.js";

const MOST = 2000; // entries of the model that are looked through

export function History({ version }) {
  const found = useResource((signal) => own(version, signal), [version.model, version.version]);
  const columns = [
    ["When", (entry) => html`<${Time} at=${entry.at} />`],
    ["What", (entry) => entry.kind.replace("version.", "").replaceAll("_", " ")],
    ["Who", (entry) => html`<span class="mono">${entry.actor}</span>`, "actor"],
    ["Details", (entry) => html`<span class="mono">${details(entry)}</span>`, "wide"],
  ];
  return html`<${Loaded} from=${found}>${({ entries, created }) => html`
    <p>${created ? html`Created by <span class="mono">
      ${created.actor}</span> on ${clock(created.at)}.` : `Its creation is not among the last ${count(MOST)} changes of the model.`}</p>
    <${Table} caption="History of the version" columns=${columns} rows=${entries} keyOf=${(entry) => entry.revision} empty="No change is known." />`}<//>`;
}

async function own({ model, version }, signal) {
  const isCreation = (entry) => entry.version === version && entry.kind === "version.created";
  const { entries } = await entriesUntil(isCreation, model, { most: MOST, signal });
  return { entries: entries.filter((entry) => entry.version === version), created: entries.find(isCreation) };
}

const SHOWN_ABOVE = ["reason", "sha256"]; // with the status and the files

function details({ before, after }) {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  SHOWN_ABOVE.forEach((name) => names.delete(name));
  const said = (value) => (value == null ? "none" : typeof value === "object" ? JSON.stringify(value) : String(value));
  return [...names].filter((name) => said(before?.[name]) !== said(after?.[name]))
    .map((name) => (before?.[name] == null ? `${name}: ${said(after[name])}` : `${name}: ${said(before[name])} → ${said(after?.[name])}`)).join("; ");
}
