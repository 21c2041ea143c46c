// Two versions of a model side by side; what differs is said in words.
import { html, useState } from "../lib.js";
import { all, call } from "../api.js";
import { Choice as Select } from "../inputs.js";
import { useResource } from "../resource.js";
import { go, modelPath, to } from "../router.js";
import { Empty, Loaded, Page, Status } from "../ui.js";
import { Facts } from "./compare/facts.js";
import { files, measured, metadata, signature, task } from "./compare/rows.js";
import { SPANS, Traffic } from "./compare/traffic.js";

export default function Compare({ model, query }) {
  const versions = useResource((signal) => all("list_versions", { model }, "versions", { signal, query: { include_deleted: true } }), [model]);
  const numbers = versions.data?.items.map((one) => one.version) ?? [];
  const b = query.b ?? String(numbers[0] ?? "");
  const a = query.a ?? String(numbers.find((one) => String(one) !== b) ?? b);
  return html`<${Page} title=${`Compare versions of ${model}`} crumbs=${[["Models", to("/")], [model, to(modelPath(model))]]}>
    <${Loaded} from=${versions} rows=${2}>${({ items }) => (items.length < 2
      ? html`<${Empty}>It has ${items.length ? "one version only" : "no version yet"}: there is nothing to compare.<//>`
      : html`<${Choice} model=${model} items=${items} a=${a} b=${b} />
        <${Both} key=${`${a}:${b}`} model=${model} a=${a} b=${b} />`)}<//><//>`;
}

function Choice({ model, items, a, b }) {
  const choose = (more) => go(modelPath(model, "/compare"), { a, b, ...more });
  const options = items.map((one) => [String(one.version), titleOf(one)]);
  return html`<div class="row"><${Select} label="Version" value=${a} set=${(value) => choose({ a: value })} options=${options} />
    <${Select} label="with version" value=${b} set=${(value) => choose({ b: value })} options=${options} />
    <button type="button" onClick=${() => choose({ a: b, b: a })}>Swap</button></div>`;
}

function titleOf({ version, aliases, deleted_at: deleted, status }) {
  const more = [...aliases, ...(deleted ? ["deleted"] : status === "READY" ? [] : [status.toLowerCase()])].join(", ");
  return more ? `${version} (${more})` : String(version);
}

function Both({ model, a, b }) {
  const [span, setSpan] = useState(Object.keys(SPANS)[1]);
  const read = (number, signal) => call("get_version", { model, number }, { signal, query: { include_deleted: true } });
  const found = useResource((signal) => Promise.all([read(a, signal), read(b, signal)]), [model, a, b]);
  return html`<${Loaded} from=${found} rows=${8}>${([one, other]) => html`
    <div class="row">${[one, other].map((version) => html`<p key=${version.version}>
      <a href=${to(modelPath(model, `/versions/${version.version}`))}>Version ${version.version}</a>${" "}
      <${Status} value=${version.deleted_at ? "DELETED" : version.status} /></p>`)}</div>
    <${Facts} title="Signature" a=${a} b=${b} rows=${signature(one, other)} empty="Neither has a signature yet." />
    ${(one.task || other.task) && html`<${Facts} title="Task" a=${a} b=${b} rows=${task(one, other)} />`}
    <${Facts} title="Size, time and cost, measured at deployment" a=${a} b=${b} rows=${measured(one, other)} />
    <${Facts} title="Files" a=${a} b=${b} rows=${files(one, other)} />
    <${Facts} title="Description and tags" a=${a} b=${b} rows=${metadata(one, other)} />
    <${Traffic} model=${model} a=${a} b=${b} span=${span} onSpan=${setSpan} />`}<//>`;
}
