// A model: what is live, its traffic over time, its versions, who changed what; and every change of it.
import { html, useState } from "../lib.js";
import { call } from "../api.js";
import { useResource } from "../resource.js";
import { modelPath, to } from "../router.js";
import { can } from "../session.js";
import { Loaded, Page, Status, Tags, tell, Time } from "../ui.js";
import { Aliases } from "./model/aliases.js";
import { Edit } from "./model/edit.js";
import { History } from "./model/history.js";
import { Moment } from "./model/moment.js";
import { Delete, Purge, Restore } from "./model/removal.js";
import { Timeline } from "./model/timeline.js";
import { Versions } from "./model/versions.js";

const EVERY_MS = 10_000;
const DIALOGS = { edit: EditModel, delete: Delete, restore: Restore, purge: Purge };

export default function Model({ model: name }) {
  const read = (signal) => call("get_model", { model: name }, { signal, query: { include_deleted: true } });
  const found = useResource(read, [name], { every: EVERY_MS });
  const [dialog, setDialog] = useState(null);
  const Open = DIALOGS[dialog];
  const changed = (text) => { tell(text); found.reload(); };
  const model = found.data;
  return html`<${Page} title=${name} crumbs=${[["Models", to("/")]]} actions=${model && html`<${Actions} model=${model} open=${setDialog} />`}>
    <${Loaded} from=${found} rows=${8}>${(model) => html`
      <${About} model=${model} />
      ${!model.deleted_at && html`<${Aliases} model=${model} changed=${changed} />`}
      ${model.deleted_at ? html`<${Past} model=${model} />` : html`<${Timeline} model=${model} />`}
      ${!model.deleted_at && html`<${Versions} model=${model} changed=${found.reload} />`}
      <${History} model=${model} />`}<//>
    ${Open && html`<${Open} model=${model} changed=${changed} reload=${found.reload} onClose=${() => setDialog(null)} />`}<//>`;
}

function EditModel({ model, changed, onClose }) {
  const update = (body, ifMatch) => call("update_model", { model: model.name }, { body, ifMatch });
  return html`<${Edit} item=${model} title=${model.name} update=${update} changed=${changed} onClose=${onClose} />`;
}

function Actions({ model, open }) {
  const path = (rest) => to(modelPath(model.name, rest));
  const writes = can("models:write");
  if (model.deleted_at) {
    return writes && html`<button type="button" class="primary" onClick=${() => open("restore")}>Restore</button>
      <button type="button" class="danger" onClick=${() => open("purge")}>Purge</button>`;
  }
  return html`${model.latest_ready_version && can("infer", model.name) && html`<a class="button primary" href=${path("/try")}>Try it</a>`}
    <a class="button" href=${path("/rollouts")}>Rollouts</a>
    <a class="button" href=${path("/metrics")}>Metrics</a>
    ${writes && html`<button type="button" onClick=${() => open("edit")}>Edit</button>
      <button type="button" onClick=${() => open("delete")}>Delete</button>`}`;
}

// A deleted model has no metrics to ask for.
function Past({ model }) {
  return html`<section aria-labelledby="past"><h2 id="past">What was live</h2><${Moment} model=${model.name} names=${Object.keys(model.aliases)} /></section>`;
}

function About({ model }) {
  return html`${model.deleted_at && html`<p class="notice">Deleted <${Time} at=${model.deleted_at} />. It answers no request.
      It can be restored until it is purged.</p>`}
    ${model.description && html`<p>${model.description}</p>`}
    <p><${Status} value=${model.status} /> <${Tags} tags=${model.tags} />
      <span class="hint">created <${Time} at=${model.created_at} />, changed <${Time} at=${model.updated_at} /></span></p>
    ${model.status === "EMPTY" && html`<p class="notice">No version can be served yet. Push one: <code>maas push model.onnx --name ${model.name}</code></p>`}`;
}
