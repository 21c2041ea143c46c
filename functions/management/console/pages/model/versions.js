// The versions of a model, newest first.
import { html, useState } from "../../lib.js";
import { call, pageOf } from "../../api.js";
import { bytes, ms, usd } from "../../format.js";
import { Check } from "../../inputs.js";
import { usePages, useResource } from "../../resource.js";
import { go, modelPath, to } from "../../router.js";
import { can } from "../../session.js";
import { Loaded, More, Status, Table, Tags, Time } from "../../ui.js";
import { Actions } from "../version/actions.js";

const PAGE = 20;
const DAYS = 7; // of measured costs

export function Versions({ model, changed }) {
  const [deleted, setDeleted] = useState(false);
  const [picked, setPicked] = useState([]);
  const query = { limit: PAGE, include_deleted: deleted };
  const read = (signal, token) => pageOf("list_versions", { model: model.name }, "versions", { query, token, signal });
  const found = usePages(read, [model.name, deleted], { again: model.etag });
  const from = new Date(Date.now() - DAYS * 86400_000).toISOString();
  const measured = useResource((signal) => call("model_metrics", { model: model.name }, { signal, query: { from, step: "day" } }), [model.name]);
  const costs = Object.fromEntries((measured.data?.series ?? []).map((one) => [one.version, one.cost?.usd_per_1000_requests]));
  const pick = (number) => setPicked(picked.includes(number) ? picked.filter((one) => one !== number) : [...picked, number].slice(-2));
  const path = (version) => to(modelPath(model.name, `/versions/${version.version}`));
  const columns = [
    ["Compare", (version) => version.status === "READY" && html`<input type="checkbox" aria-label=${`Compare version ${version.version}`}
      checked=${picked.includes(version.version)} onChange=${() => pick(version.version)} />`],
    ["Version", (version) => html`<a href=${path(version)}>${version.version}</a> ${version.description} <${Tags} tags=${version.tags} />`],
    ["Status", (version) => html`<${State} version=${version} />`],
    ["Aliases", (version) => version.aliases.join(", ") || "–"],
    ["Size", (version) => bytes(version.size_bytes), "number"],
    ["Run", (version) => ms(version.profile?.run_ms), "number"],
    ["Memory", (version) => bytes(version.profile?.peak_memory_bytes), "number"],
    ["Cost of 1,000", (version) => html`<${Cost} measured=${costs[version.version]} profile=${version.profile} />`, "number"],
    ["Created", (version) => html`<${Time} at=${version.created_at} />`],
    ["", (version) => html`<${Buttons} model=${model} version=${version} changed=${changed} />`],
  ];
  return html`<section aria-labelledby="versions"><h2 id="versions">Versions</h2>
    <div class="row"><${Check} label="Show deleted" value=${deleted} set=${setDeleted} />
      <button type="button" disabled=${picked.length < 2} onClick=${() => go(modelPath(model.name, "/compare"), comparison(picked))}>
        ${picked.length === 2 ? `Compare ${Math.min(...picked)} with ${Math.max(...picked)}` : "Compare: pick two"}</button></div>
    <${Loaded} from=${found}>${({ items }) => html`
      <${Table} caption="Versions" columns=${columns} rows=${items} keyOf=${(version) => version.version} empty="No version." />`}<//>
    <${More} from=${found} /></section>`;
}

const comparison = (picked) => ({ a: Math.min(...picked), b: Math.max(...picked) });

function State({ version }) {
  return html`<${Status} value=${version.deleted_at ? "DELETED" : version.status} />
    ${version.stage && html` <span class="hint">${version.stage}</span>`}
    ${version.status_reason && html`<div class="wrong">${version.status_reason}</div>`}`;
}

// What its traffic of the last days cost, else the estimate of its profile.
function Cost({ measured, profile }) {
  if (measured != null) return html`${usd(measured)} <span class="hint">of its traffic</span>`;
  if (profile?.usd_per_million_requests == null) return "–";
  return html`${usd(profile.usd_per_million_requests / 1000)} <span class="hint">estimated</span>`;
}

function Buttons({ model, version, changed }) {
  const tries = version.status === "READY" && !version.deleted_at && can("infer", model.name);
  const href = to(modelPath(model.name, "/try"), { version: version.version });
  return html`<div class="buttons">${tries && html`<a class="button small" href=${href} aria-label=${`Try version ${version.version}`}>Try</a>`}
    <${Actions} version=${version} reload=${changed} purged=${changed} small /></div>`;
}
