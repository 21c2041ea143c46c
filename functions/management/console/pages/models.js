// All models: what is live, how much it is asked, what fails.
import { html, useEffect, useState } from "../lib.js";
import { call, pageOf, TASKS } from "../api.js";
import { SplitBar } from "../charts.js";
import { Confirm } from "../dialogs.js";
import { count } from "../format.js";
import { Check, Choice, Text } from "../inputs.js";
import { usePages } from "../resource.js";
import { modelPath, to } from "../router.js";
import { can } from "../session.js";
import { Loaded, More, Page, Status, Table, Tags, tell, Time } from "../ui.js";
import { LastDay } from "./models/last_day.js";

const PAGE = 200; // a list that is longer is filtered by the server
const PAUSE_MS = 300; // after the last key, before it is asked
const NOTHING = { typed: "", tag: "", task: "", status: "" };
const STATUSES = ["READY", "EMPTY", "DELETED"];

export default function Models() {
  const [deleted, setDeleted] = useState(false);
  const [wanted, setWanted] = useState(NOTHING);
  const [restoring, setRestoring] = useState(null);
  const [long, setLong] = useState(false);
  const asked = usePaused(long ? query(wanted) : {}, PAUSE_MS);
  const withDeleted = deleted || wanted.status === "DELETED";
  const read = async (signal, token) => {
    const page = await pageOf("list_models", {}, "models", { query: { ...asked, limit: PAGE, include_deleted: withDeleted }, token, signal });
    if (page.token) setLong(true);
    return page;
  };
  const found = usePages(read, [withDeleted, JSON.stringify(asked)]);
  const restore = async () => {
    await call("restore_model", { model: restoring.name });
    tell(`${restoring.name} is restored.`);
    found.reload();
  };
  const columns = [
    ["Model", (model) => html`<${Name} model=${model} />`],
    ["Status", (model) => html`<${Status} value=${model.status} />`],
    ["Live", (model) => html`<${Live} model=${model} />`, "wide"],
    ["Task", (model) => model.task ?? "–"],
    ["Requests, 24 h", (model) => html`<${LastDay} model=${model} />`],
    ["Changed", (model) => html`<${Time} at=${model.updated_at} />`],
    ["", (model) => model.deleted_at && can("models:write")
      && html`<button type="button" class="small" aria-label=${`Restore ${model.name}`} onClick=${() => setRestoring(model)}>Restore</button>`],
  ];
  const put = (name) => ({ value: wanted[name], set: (value) => setWanted({ ...wanted, [name]: value }) });
  const items = found.data?.items ?? [];
  const shown = items.filter((model) => fits(model, wanted, long));
  const empty = items.length || JSON.stringify(wanted) !== JSON.stringify(NOTHING) ? "No model fits the search."
    : html`There is no model yet. Push one: <code>maas push model.onnx --name my-model</code>`;
  return html`<${Page} title="Models">
    <${Filters} put=${put} long=${long} items=${items} deleted=${deleted} setDeleted=${setDeleted} />
    <${Loaded} from=${found}>${() => html`<${Table} caption="Models" columns=${columns} rows=${shown} keyOf=${(model) => model.name} empty=${empty} />
      <p class="hint" role="status">${count(shown.length)}${found.more && " and more"} ${shown.length === 1 && !found.more ? "model" : "models"}</p>`}<//>
    <${More} from=${found} />
    ${restoring && html`<${Confirm} title=${`Restore ${restoring.name}?`} action="Restore" onConfirm=${restore} onClose=${() => setRestoring(null)}>
      <p>It comes back with all its versions, aliases and tags, and is served again.</p><//>`}<//>`;
}

function Filters({ put, long, items, deleted, setDeleted }) {
  const tags = [...new Set(items.flatMap((model) => Object.entries(model.tags).flatMap(([name, value]) => [name, `${name}=${value}`])))].sort();
  const options = (names) => [["", "all"], ...names.map((one) => [one, one])];
  return html`<form class="row" role="search" onSubmit=${(event) => event.preventDefault()}>
    <${Text} label="Search" type="search" ...${put("typed")} placeholder=${long ? "beginning of the name" : "name, description or tag"} />
    <${Text} label="Tag" list="tags" ...${put("tag")} placeholder="team=vision" />
    <datalist id="tags">${tags.map((tag) => html`<option key=${tag} value=${tag} />`)}</datalist>
    <${Choice} label="Task" ...${put("task")} options=${options(TASKS)} />
    <${Choice} label="Status" ...${put("status")} options=${options(STATUSES)} />
    <${Check} label="Show deleted" value=${deleted} set=${setDeleted} /></form>`;
}

function Name({ model }) {
  return html`<a href=${to(modelPath(model.name))}>${model.name}</a> <${Tags} tags=${model.tags} />
    ${model.description && html`<div class="hint">${model.description}</div>`}`;
}

function Live({ model }) {
  const names = Object.keys(model.aliases);
  if (model.deleted_at) return html`<span class="hint">nothing</span>`;
  if (!names.length) return html`<span class="hint">${model.latest_ready_version ? `no alias; newest: v${model.latest_ready_version}` : "nothing"}</span>`;
  return names.map((name) => html`<div key=${name}><span class="hint">${name}</span>
    <${SplitBar} label=${name} routes=${model.splits[name] ?? [{ version: model.aliases[name], weight: 100 }]} /></div>`);
}

// What the server filters by, where not all models are here.
function query({ typed, tag, task, status }) {
  const all = { prefix: typed.trim().toLowerCase().slice(0, 63), tag: tag.trim(), task, status };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
}

function fits(model, { typed, tag, task, status }, long) {
  if (status && model.status !== status) return false;
  if (task && (model.task ?? "none") !== task) return false;
  const pairs = Object.entries(model.tags).map(([name, value]) => `${name}=${value}`);
  const key = tag.trim();
  if (key && !(key.includes("=") ? pairs.some((pair) => pair.startsWith(key)) : Object.keys(model.tags).some((name) => name.startsWith(key)))) return false;
  const text = [model.name, model.description, ...pairs].join(" ").toLowerCase();
  return long ? model.name.startsWith(typed.trim().toLowerCase()) : typed.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

// A value once it has not changed for a while.
function usePaused(value, ms) {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), ms);
    return () => clearTimeout(timer);
  }, [JSON.stringify(value)]);
  return paused;
}
