// An alias goes back to what it was, or away.
import { html, useState } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { changesSince } from "../../entries.js";
import { useResource } from "../../resource.js";
import { Loaded } from "../../ui.js";
import { Meanwhile, Moved, routesText } from "./words.js";

// The alias as it is now, with its ETag. `guarded` acts with it; where somebody was quicker, it shows that and what is there now.
export function useAlias(model, name) {
  const read = (signal) => (name ? call("get_alias", { model, alias: name }, { signal }) : Promise.resolve(null));
  const found = useResource(read, [model, name]);
  const [meanwhile, setMeanwhile] = useState([]);
  const guarded = async (act) => {
    try {
      await act(found.data?.etag);
    } catch (error) {
      if (error.status === 412) {
        const entries = await changesSince(model, found.data.etag);
        setMeanwhile(entries.filter((entry) => entry.alias === name || entry.kind === "version.deleted"));
        found.set(error.current);
      }
      throw error;
    }
  };
  return { found, guarded, meanwhile: meanwhile.length > 0 && html`<${Meanwhile} entries=${meanwhile} />` };
}

export function RollBack({ model, alias, changed, onClose }) {
  const { found, guarded, meanwhile } = useAlias(model.name, alias.alias);
  const back = () => guarded(async (ifMatch) => {
    const now = await call("roll_back_alias", { model: model.name, alias: alias.alias }, { ifMatch });
    changed(`${alias.alias} is ${routesText(now.routes)} again.`);
  });
  const title = alias.rollout ? `End the rollout and roll ${alias.alias} back?` : `Roll ${alias.alias} back?`;
  return html`<${Confirm} title=${title} action="Roll back" disabled=${!found.data} onConfirm=${back} onClose=${onClose}>
    <${Loaded} from=${found} rows=${2}>${(now) => now.rollout
      ? html`<p>The open rollout ${now.rollout} is aborted: ${alias.alias}, now ${routesText(now.routes)}, is as before it.</p>`
      : html`<p>${alias.alias} goes back to what it was before its last change; a second rollback undoes this one:</p>
        <${Moved} from=${now.routes} to=${now.previous_routes} />`}<//>
    ${meanwhile}<//>`;
}

export function DeleteAlias({ model, alias, changed, onClose }) {
  const { found, guarded, meanwhile } = useAlias(model.name, alias.alias);
  const remove = () => guarded(async (ifMatch) => {
    await call("delete_alias", { model: model.name, alias: alias.alias }, { ifMatch });
    changed(`${alias.alias} is deleted.`);
  });
  return html`<${Confirm} title=${`Delete alias ${alias.alias}?`} action="Delete" danger disabled=${!found.data} onConfirm=${remove} onClose=${onClose}>
    <${Loaded} from=${found} rows=${2}>${(now) => html`<${Moved} from=${now.routes} to=${[]} />
      <p>${alias.alias === "default"
        ? `Requests without a version go to the newest READY one, version ${model.latest_ready_version}, from then on.`
        : `Requests that name ${alias.alias} are answered with 404 from then on.`} Its versions stay.</p>
      ${(now.shadow || now.capture) && html`<p>Its shadow and capture end with it.</p>`}`}<//>
    ${meanwhile}<//>`;
}
