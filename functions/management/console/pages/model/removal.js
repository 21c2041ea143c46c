// Deletion, restoration and purge of a model.
import { html } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { guarded } from "../../resource.js";
import { go } from "../../router.js";
import { tell } from "../../ui.js";

export function Delete({ model, changed, reload, onClose }) {
  const aliases = Object.keys(model.aliases);
  const remove = () => guarded(reload, async () => {
    await call("delete_model", { model: model.name }, { ifMatch: model.etag });
    changed(`${model.name} is deleted.`);
  });
  return html`<${Confirm} title=${`Delete ${model.name}?`} action="Delete" danger onConfirm=${remove} onClose=${onClose}>
    <p>From ${model.status} to DELETED: it answers no request any more${aliases.length > 0 && `, also none by ${aliases.join(", ")}`}.</p>
    <p>It can be restored with all its versions, aliases and tags, until it is purged after the retention time.</p><//>`;
}

export function Restore({ model, changed, reload, onClose }) {
  const restore = () => guarded(reload, async () => {
    await call("restore_model", { model: model.name }, { ifMatch: model.etag });
    changed(`${model.name} is restored.`);
  });
  return html`<${Confirm} title=${`Restore ${model.name}?`} action="Restore" onConfirm=${restore} onClose=${onClose}>
    <p>It comes back with all its versions, aliases and tags, and is served again.</p><//>`;
}

export function Purge({ model, reload, onClose }) {
  const purge = () => guarded(reload, async () => {
    const { status } = await call("delete_model", { model: model.name }, { ifMatch: model.etag, query: { purge: true } });
    tell(`${model.name} is ${status === 202 ? "being purged; this goes on by itself" : "purged"}.`);
    go("/");
  });
  return html`<${Confirm} title=${`Purge ${model.name}?`} action="Purge for good" danger type=${model.name} onConfirm=${purge} onClose=${onClose}>
    <p>All its versions with their files are removed for good. Nothing brings them back. Its history stays, and its name can be used again.</p><//>`;
}
