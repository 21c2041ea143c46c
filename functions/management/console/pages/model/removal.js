// Deletion, restoration and purge of a model or of one of its versions.
import { html, useState } from "../../lib.js";
import { call } from "../../api.js";
import { count } from "../../format.js";
import { useResource } from "../../resource.js";
import { go } from "../../router.js";
import { Confirm, Loaded, tell } from "../../ui.js";

export function Delete({ model, changed, onClose }) {
  const aliases = Object.keys(model.aliases);
  const remove = async () => {
    await call("delete_model", { model: model.name }, { ifMatch: model.etag });
    changed(`${model.name} is deleted.`);
  };
  return html`<${Confirm} title=${`Delete ${model.name}?`} action="Delete" danger onConfirm=${remove} onClose=${onClose}>
    <p>From ${model.status} to DELETED: it answers no request any more${aliases.length > 0 && `, also none by ${aliases.join(", ")}`}.</p>
    <p>It can be restored with all its versions, aliases and tags, until it is purged after the retention time.</p><//>`;
}

export function Restore({ model, changed, onClose }) {
  const restore = async () => {
    await call("restore_model", { model: model.name }, { ifMatch: model.etag });
    changed(`${model.name} is restored.`);
  };
  return html`<${Confirm} title=${`Restore ${model.name}?`} action="Restore" onConfirm=${restore} onClose=${onClose}>
    <p>It comes back with all its versions, aliases and tags, and is served again.</p><//>`;
}

export function Purge({ model, onClose }) {
  const purge = async () => {
    const { status } = await call("delete_model", { model: model.name }, { ifMatch: model.etag, query: { purge: true } });
    tell(`${model.name} is ${status === 202 ? "being purged; this goes on by itself" : "purged"}.`);
    go("/");
  };
  return html`<${Confirm} title=${`Purge ${model.name}?`} action="Purge for good" danger type=${model.name} onConfirm=${purge} onClose=${onClose}>
    <p>All its versions with their files are removed for good. Nothing brings them back. Its history stays, and its name can be used again.</p><//>`;
}

// Deletion may be forced when aliases lead to the version: they lose this route.
export function DeleteVersion({ model, version, changed, onClose }) {
  const [force, setForce] = useState(false);
  const found = useResource((signal) => call("get_version", at(model, version), { signal }), []);
  const aliases = found.data?.aliases ?? [];
  const remove = async () => {
    await call("delete_version", at(model, version), { ifMatch: found.data.etag, query: { force: force || undefined } });
    changed(`Version ${version.version} of ${model.name} is deleted.`);
  };
  const disabled = !found.data || (aliases.length > 0 && !force);
  return html`<${Confirm} title=${title("Delete", version)} action="Delete" danger disabled=${disabled} onConfirm=${remove} onClose=${onClose}>
    <${Loaded} from=${found} rows=${2}>${() => html`<p>It answers no request any more. It can be restored until it is purged.</p>
      ${aliases.map((alias) => html`<p key=${alias}>${model.splits[alias]
        ? html`<b>${alias}</b>: its share goes to the other versions of ${alias}.`
        : html`<b>${alias}</b> leads only here: this alias is removed.`}</p>`)}
      <p><label><input type="checkbox" checked=${force} onChange=${({ target }) => setForce(target.checked)} />
        ${aliases.length ? " Take it from these aliases" : " Also if it is the shadow of an alias"}</label></p>`}<//><//>`;
}

export function RestoreVersion({ model, version, changed, onClose }) {
  const restore = async () => {
    await call("restore_version", at(model, version));
    changed(`Version ${version.version} of ${model.name} is restored.`);
  };
  return html`<${Confirm} title=${title("Restore", version)} action="Restore" onConfirm=${restore} onClose=${onClose}>
    <p>It can be served and be given to aliases again. Aliases that lost it stay as they are.</p><//>`;
}

export function PurgeVersion({ model, version, changed, onClose }) {
  const purge = async () => {
    await call("delete_version", at(model, version), { query: { purge: true } }); // refused if it was restored meanwhile
    changed(`Version ${version.version} of ${model.name} is purged.`);
  };
  const name = `${model.name} ${version.version}`;
  return html`<${Confirm} title=${title("Purge", version)} action="Purge for good" danger type=${name} onConfirm=${purge} onClose=${onClose}>
    <p>Its ${count(version.files.length)} files are removed for good. Nothing brings them back. Its number is not used again.</p><//>`;
}

const title = (action, version) => `${action} version ${version.version} of ${version.model}?`;
const at = (model, version) => ({ model: model.name, number: version.version });
