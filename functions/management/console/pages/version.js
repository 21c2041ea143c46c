// A version: what it takes and gives, how it was measured, its files, where it came from; edit, delete, restore, purge.
import { html, useState } from "../lib.js";
import { call } from "../api.js";
import { bytes, count, ms, shape, usd } from "../format.js";
import { useResource } from "../resource.js";
import { modelPath, to } from "../router.js";
import { can } from "../session.js";
import { Card, Empty, Loaded, Page, Status, Tags, tell, Time } from "../ui.js";
import { Edit } from "./model/edit.js";
import { Actions } from "./version/actions.js";
import { Files } from "./version/files.js";
import { Forms } from "./version/forms.js";
import { History } from "./version/history.js";
import { Signature } from "./version/signature.js";
import { Task } from "./version/task.js";

const POLL = 1500; // milliseconds, while its validation goes on
const OPEN = ["PENDING_UPLOAD", "VALIDATING"];

export default function Version({ model, version }) {
  const path = { model, number: version };
  const read = (signal) => call("get_version", path, { signal, query: { include_deleted: true } });
  const found = useResource(read, [model, version], { every: (now) => OPEN.includes(now.status) && !now.deleted_at && POLL });
  const crumbs = [["Models", to("/")], [model, to(modelPath(model))]];
  const actions = found.data && html`<${Links} version=${found.data} /><${Actions} version=${found.data} reload=${found.reload} />`;
  return html`<${Page} title=${`${model}, version ${version}`} crumbs=${crumbs} actions=${actions}>
    <${Loaded} from=${found} rows=${8}>${(data) => html`<${Shown} version=${data} reload=${found.reload} />`}<//><//>`;
}

function Links({ version }) {
  const { model, version: number } = version;
  const served = version.status === "READY" && !version.deleted_at;
  return html`${served && can("infer", model) && html`<a class="button primary" href=${to(modelPath(model, "/try"), { version: number })}>Try it</a>`}
    <a class="button" href=${to(modelPath(model, "/compare"), { a: number > 1 ? number - 1 : undefined, b: number })}>Compare</a>`;
}

function Shown({ version, reload }) {
  const { profile } = version;
  return html`<${State} version=${version} />
    <div class="cards">
      <${Card} title="Aliases" value=${version.aliases.length ? version.aliases.join(", ") : "none leads here"} />
      <${Card} title="Size" value=${bytes(version.size_bytes)} />
      <${Card} title="Created" value=${html`<${Time} at=${version.created_at} />`} />
      <${Card} title="Changed" value=${html`<${Time} at=${version.updated_at} />`} />
      ${profile && html`
        <${Card} title="A run" value=${ms(profile.run_ms)} />
        <${Card} title="A run of 32" value=${ms(profile.run_ms_batch_32)} />
        <${Card} title="To load" value=${ms(profile.load_ms)} />
        <${Card} title="Memory at most" value=${bytes(profile.peak_memory_bytes)} />
        <${Card} title="Function to serve it" value=${`${count(profile.recommended_memory_mb)} MB`} />
        <${Card} title="A million requests" value=${usd(profile.usd_per_million_requests)} />`}
    </div>
    <h2>Description and tags</h2>
    <p>${version.description || html`<span class="hint">No description.</span>`}</p>
    <p>${Object.keys(version.tags).length ? html`<${Tags} tags=${version.tags} />` : html`<span class="hint">No tags.</span>`}</p>
    ${can("models:write") && !version.deleted_at && html`<${EditVersion} version=${version} reload=${reload} />`}
    <h2>Signature</h2>
    ${version.inputs ? html`<${Signature} inputs=${version.inputs} outputs=${version.outputs}
      shapes=${profile?.shapes} />` : html`<${Empty}>It is known once the version is validated.<//>`}
    ${version.task && html`<h2>Task</h2><${Task} task=${version.task} />`}
    <h2>Files</h2>
    <${Files} version=${version} />
    ${profile && html`<h2>Golden results and profile</h2><${Tested} profile=${profile} />`}
    ${(version.variants.length > 0 || version.quantized) && html`<h2>Forms</h2><${Forms} version=${version} />`}
    <h2>Provenance</h2>
    <${History} version=${version} key=${version.updated_at} />`;
}

function EditVersion({ version, reload }) {
  const [open, setOpen] = useState(false);
  const { model, version: number } = version;
  const update = (body, ifMatch) => call("update_version", { model, number }, { body, ifMatch });
  const changed = (text) => { tell(text); reload(); };
  return html`<button type="button" class="small" onClick=${() => setOpen(true)}>Edit</button>
    ${open && html`<${Edit} item=${version} title=${`version ${number} of ${model}`} update=${update} changed=${changed} onClose=${() => setOpen(false)} />`}`;
}

function State({ version }) {
  const checked = version.stage ? `Being checked: ${version.stage}.` : "It is being checked.";
  const waiting = version.status === "VALIDATING" ? checked : "Its files are not all uploaded.";
  return html`<p><${Status} value=${version.deleted_at ? "DELETED" : version.status} />${" "}
      <span role="status">${OPEN.includes(version.status) && waiting}</span>
      ${version.deleted_at && html`Deleted <${Time} at=${version.deleted_at} />; it can be restored until it is purged.`}</p>
    ${version.status_reason && html`<div class="problem"><p><b>Why:</b> ${version.status_reason}</p></div>`}
    ${version.warnings.map((warning) => html`<div class="notice" key=${warning}><p><b>Warning:</b> ${warning}</p></div>`)}`;
}

const MEASURED = {
  golden: "the first of its test vectors", example: "the example that was pushed with it",
  signature: "inputs generated from its signature", task: "texts or images generated for its task",
};

function Tested({ profile }) {
  const golden = profile.golden_vectors;
  const right = `It answered ${golden === 1 ? "its test vector" : `all ${count(golden)} test vectors`} within the tolerances.`;
  const shapes = Object.entries(profile.shapes).map(([name, dims]) => `${name} ${shape(dims)}`).join(", ");
  return html`<p>${golden ? right : "It was pushed without test vectors (golden/), so its answers were not checked."}</p>
    <p>Measured with ${MEASURED[profile.shapes_from] ?? profile.shapes_from}: ${shapes}.</p>`;
}
