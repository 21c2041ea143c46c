// All models: what is live, how much it is asked, what fails.
import { html, useEffect, useMemo, useRef, useState } from "../lib.js";
import { all, call } from "../api.js";
import { Spark, SplitBar } from "../charts.js";
import { count } from "../format.js";
import { useResource } from "../resource.js";
import { modelPath, to } from "../router.js";
import { can } from "../session.js";
import { Confirm, Field, Loaded, Page, Status, Table, Tags, tell, Time } from "../ui.js";

const HOURS = 24;

export default function Models() {
  const [deleted, setDeleted] = useState(false);
  const [typed, setTyped] = useState("");
  const [status, setStatus] = useState("");
  const [restoring, setRestoring] = useState(null);
  const models = useResource((signal) => all("list_models", {}, "models", { signal, query: { include_deleted: deleted } }), [deleted]);
  const restore = async () => {
    await call("restore_model", { model: restoring.name });
    tell(`${restoring.name} is restored.`);
    models.reload();
  };
  const columns = [
    ["Model", (model) => html`<a href=${to(modelPath(model.name))}>${model.name}</a> <${Tags} tags=${model.tags} />`],
    ["Status", (model) => html`<${Status} value=${model.status} />`],
    ["Live", (model) => html`<${Live} model=${model} />`, "wide"],
    ["Requests, 24 h", (model) => html`<${LastDay} model=${model} />`],
    ["Changed", (model) => html`<${Time} at=${model.updated_at} />`],
    ["", (model) => model.deleted_at && can("models:write") && html`<button type="button" class="small" onClick=${() => setRestoring(model)}>Restore</button>`],
  ];
  return html`<${Page} title="Models">
    <form class="row" role="search" onSubmit=${(event) => event.preventDefault()}>
      <${Field} label="Search">${(id) => html`<input id=${id} type="search" placeholder="name, description or tag" value=${typed} onInput=${(event) => setTyped(event.target.value)} />`}<//>
      <${Field} label="Status">${(id) => html`<select id=${id} value=${status} onChange=${(event) => setStatus(event.target.value)}><option value="">all</option><option>READY</option><option>EMPTY</option><option>DELETED</option></select>`}<//>
      <label><input type="checkbox" checked=${deleted} onChange=${(event) => setDeleted(event.target.checked)} /> Show deleted</label>
    </form>
    <${Loaded} from=${models}>${({ items, more }) => html`
      <${Table} caption="Models" columns=${columns} rows=${items.filter((model) => fits(model, typed, status))} keyOf=${(model) => model.name}
        empty=${items.length ? "No model fits the search." : html`There is no model yet. Push one: <code>maas push model.onnx --name my-model</code>`} />
      ${more && html`<p class="hint">Only the first ${count(items.length)} models are shown.</p>`}`}<//>
    ${restoring && html`<${Confirm} title=${`Restore ${restoring.name}?`} action="Restore" onConfirm=${restore} onClose=${() => setRestoring(null)}><p>It comes back with all its versions, aliases and tags, and is served again.</p><//>`}<//>`;
}

function Live({ model }) {
  const names = Object.keys(model.aliases);
  if (!names.length) return html`<span class="hint">${model.latest_ready_version ? `no alias; newest: v${model.latest_ready_version}` : "nothing"}</span>`;
  return names.map((name) => html`<div key=${name}><span class="hint">${name}</span>
    <${SplitBar} label=${name} routes=${model.splits[name] ?? [{ version: model.aliases[name], weight: 100 }]} /></div>`);
}

// Asked for when the row is seen: a long list costs no more than what is looked at.
function LastDay({ model }) {
  const box = useRef();
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && setSeen(true));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return html`<div ref=${box}>${seen && !model.deleted_at ? html`<${Drawn} model=${model.name} />` : "–"}</div>`;
}

function Drawn({ model }) {
  const hours = useMemo(() => Math.floor(Date.now() / 3600_000), []);
  const from = new Date((hours - HOURS + 1) * 3600_000).toISOString();
  const found = useResource((signal) => call("model_metrics", { model }, { signal, query: { from, step: "hour" } }), [model]);
  if (found.error) return html`<span class="hint" title=${found.error.message}>?</span>`;
  if (!found.data) return html`<span class="hint">…</span>`;
  const requests = Array(HOURS).fill(0);
  const errors = Array(HOURS).fill(0);
  for (const point of found.data.series.flatMap((one) => one.points)) {
    const place = Math.floor(Date.parse(point.at) / 3600_000) - hours + HOURS - 1;
    requests[place] += point.requests;
    errors[place] += point.errors;
  }
  const { total } = found.data;
  return html`<div class="row"><span>${count(total.requests)}</span><${Spark} values=${requests} label=${`requests by hour, ${total.requests} in all`} /></div>
    ${total.errors > 0 && html`<div class="row"><span class="wrong">${count(total.errors)} failed</span><${Spark} tone="bad" values=${errors} label=${`errors by hour, ${total.errors} in all`} /></div>`}`;
}

function fits(model, typed, status) {
  if (status && model.status !== status) return false;
  const text = [model.name, model.description, ...Object.entries(model.tags).map(([name, value]) => `${name}=${value}`)].join(" ").toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
