// Rollouts of a model: the open ones live, earlier ones as a list, and the start of one.
import { html, useEffect, useRef, useState } from "../lib.js";
import { all, call, pageOf } from "../api.js";
import { Dialog } from "../dialogs.js";
import { count } from "../format.js";
import { usePages, useResource } from "../resource.js";
import { modelPath, to } from "../router.js";
import { can } from "../session.js";
import { Empty, Loaded, More, Page, Status, Table, Time } from "../ui.js";
import { Rollout } from "./rollouts/shown.js";
import { StartRollout } from "./rollouts/start.js";
import { isOpen } from "./rollouts/steps.js";

const LIVE = 5000; // ms between looks at an open one
const IDLE = 30_000; // and while there is none, as another may start one

export default function Rollouts({ model, query }) {
  const [starting, setStarting] = useState(false);
  const read = (signal) => all("list_rollouts", { model }, "rollouts", { signal, query: { open: true } });
  const open = useResource(read, [model], { every: ({ items }) => (items.length ? LIVE : IDLE) });
  const start = can("models:write") && open.data && html`<button type="button" class="primary" onClick=${() => setStarting(true)}>Start a rollout</button>`;
  return html`<${Page} title=${`Rollouts of ${model}`} crumbs=${[["Models", to("/")], [model, to(modelPath(model))]]} actions=${start}>
    <${Loaded} from=${open}>${({ items }) => html`
      ${items.map((one) => html`<${Rollout} key=${one.id} rollout=${one} onChange=${open.reload} />`)}
      ${!items.length && html`<${Empty}>No rollout is open. One gives a new version growing shares of an alias's
        requests, and takes it back by itself if it does worse.<//>`}`}<//>
    ${query.rollout && html`<${Chosen} model=${model} id=${query.rollout} />`}
    <${Earlier} model=${model} open=${(open.data?.items ?? []).map((one) => one.id).join()} chosen=${query.rollout} />
    ${starting && open.data && html`<${Choices} model=${model} onDone=${open.reload} onClose=${() => setStarting(false)} />`}<//>`;
}

function Earlier({ model, open, chosen }) {
  const read = (signal, token) => pageOf("list_rollouts", { model }, "rollouts", { query: { open: false }, token, signal });
  const earlier = usePages(read, [model], { again: open });
  const columns = [
    ["Rollout", ({ id }) => html`<a href=${to(modelPath(model, "/rollouts"), { rollout: id })}
      aria-current=${String(id) === chosen ? "true" : undefined}>${id}</a>`],
    ["Status", (one) => html`<${Status} value=${one.status} />`],
    ["Alias", (one) => one.alias],
    ["Versions", (one) => `${one.stable} → ${one.version}`],
    ["Reached", (one) => `${one.status === "SUCCEEDED" ? 100 : one.weight} %`, "number"],
    ["Requests", (one) => count(one.decision?.figures.canary.requests), "number"],
    ["Begun", (one) => html`<${Time} at=${one.created_at} />`],
    ["By", (one) => html`<span class="mono">${one.actor}</span>`, "wide"],
  ];
  return html`<h2>Earlier rollouts</h2><${Loaded} from=${earlier}>${({ items }) => html`
    <${Table} caption="Earlier rollouts" columns=${columns} rows=${items} keyOf=${(one) => one.id} empty="None has ended yet." />`}<//>
    <${More} from=${earlier} />`;
}

// An earlier one, opened by its link; an open one is shown anyway.
function Chosen({ model, id }) {
  const found = useResource((signal) => call("get_rollout", { model, rollout: id }, { signal }), [model, id]);
  const box = useRef();
  useEffect(() => { if (found.data) box.current.focus(); }, [found.data]);
  return html`<div ref=${box} tabindex="-1"><${Loaded} from=${found}>${(rollout) => !isOpen(rollout) && html`
    <${Rollout} rollout=${rollout} onChange=${found.reload} />
    <p><a href=${to(modelPath(model, "/rollouts"))}>Close rollout ${id}</a></p>`}<//></div>`;
}

// What a rollout can be started with is asked for when somebody wants to.
function Choices({ model, onDone, onClose }) {
  const found = useResource(async (signal) => {
    const aliases = await all("list_aliases", { model }, "aliases", { signal });
    const versions = await all("list_versions", { model }, "versions", { signal, query: { status: "READY" } });
    const free = aliases.items.filter((one) => one.routes.length === 1 && !one.rollout);
    return { aliases: free.map((one) => ({ name: one.alias, version: one.version })), versions: versions.items.map((one) => one.version) };
  }, [model]);
  const { aliases = [], versions = [] } = found.data ?? {};
  if (aliases.length && versions.length > 1) {
    return html`<${StartRollout} model=${model} aliases=${aliases} versions=${versions} onDone=${onDone} onClose=${onClose} />`;
  }
  return html`<${Dialog} title="Start a rollout" onClose=${onClose}>
    <${Loaded} from=${found}>${() => html`<p>A rollout needs an alias that leads to one version and has no open rollout, and another READY version.
      <a href=${to(modelPath(model))}>${model}</a> has no such pair.</p>`}<//>
    <div class="actions"><button type="button" onClick=${onClose}>Close</button></div><//>`;
}
