// The aliases of a model: where their requests go, and how that changes.
import { html, useState } from "../../lib.js";
import { call } from "../../api.js";
import { SplitBar } from "../../charts.js";
import { useResource } from "../../resource.js";
import { modelPath, to } from "../../router.js";
import { can } from "../../session.js";
import { Loaded, Table, Time } from "../../ui.js";
import { DeleteAlias, RollBack } from "./alias_ends.js";
import { Move } from "./move.js";
import { Samples } from "./samples.js";
import { routesText, stickyText } from "./words.js";

const DIALOGS = { move: Move, samples: Samples, back: RollBack, delete: DeleteAlias };
export function Aliases({ model, changed }) {
  const found = useResource((signal) => call("list_aliases", { model: model.name }, { signal }), [model.name], { again: model.etag });
  const [dialog, setDialog] = useState(null);
  const Open = dialog && DIALOGS[dialog.kind];
  const writes = can("models:write");
  const columns = [
    ["Alias", (alias) => html`<b>${alias.alias}</b>`],
    ["Live", (alias) => html`<${SplitBar} routes=${alias.routes} label=${alias.alias} />
      <span class="hint">${routesText(alias.routes)}${alias.routes.length > 1 && `; ${stickyText(alias.sticky)}`}</span>`, "wide"],
    ["Copies", (alias) => html`<${Copies} alias=${alias} />`],
    ["Changed", (alias) => html`<${Time} at=${alias.updated_at} />`],
    writes && ["", (alias) => html`<${Buttons} model=${model} alias=${alias} open=${(kind) => setDialog({ kind, alias })} />`],
  ].filter(Boolean);
  return html`<section aria-labelledby="live"><h2 id="live">Live</h2>
    <${Loaded} from=${found}>${({ aliases }) => html`
      <${Table} caption="Aliases" columns=${columns} rows=${aliases} keyOf=${(alias) => alias.alias} empty=${none(model)} />
      ${writes && model.latest_ready_version && html`<p>
        <button type="button" onClick=${() => setDialog({ kind: "move", taken: aliases.map((one) => one.alias) })}>New alias</button></p>`}`}<//>
    ${Open && html`<${Open} model=${model} alias=${dialog.alias} taken=${dialog.taken} changed=${changed} onClose=${() => setDialog(null)} />`}</section>`;
}

function none({ latest_ready_version: newest }) {
  return newest ? `No alias: requests without a version go to the newest READY one, version ${newest}.` : "No alias, and no version to serve.";
}

function Buttons({ model, alias, open }) {
  const button = (kind, text, label) => html`<button type="button" class="small" onClick=${() => open(kind)} aria-label=${label}>${text}</button>`;
  const back = (text) => button("back", text, `Roll ${alias.alias} back`);
  if (alias.rollout) return html`<div class="buttons"><a href=${to(modelPath(model.name, "/rollouts"))}>In a rollout</a> ${back("Roll back")}</div>`;
  return html`<div class="buttons">${button("move", "Move", `Move ${alias.alias}`)}
    ${alias.previous_routes.length > 0 && back("Roll back")}
    ${button("samples", "Copies", `Copies of ${alias.alias}`)}
    ${button("delete", "Delete", `Delete ${alias.alias}`)}</div>`;
}

function Copies({ alias: { shadow, capture } }) {
  if (!shadow && !capture) return "–";
  return html`${shadow && html`<div>${shadow.percent} % to v${shadow.version} as a shadow</div>`}
    ${capture && html`<div>${capture.percent} % captured (${capture.what}), kept ${capture.days} days</div>`}`;
}
