// Delete, restore and purge of a version, each saying first what it does to the aliases.
import { html, useState } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { guarded, useResource } from "../../resource.js";
import { go, modelPath } from "../../router.js";
import { can } from "../../session.js";
import { Loaded, tell } from "../../ui.js";

// `small` are the buttons of a row. After a purge the model is shown, or `purged` called.
export function Actions({ version, reload, small, purged = () => go(modelPath(version.model)) }) {
  const [asked, setAsked] = useState("");
  if (!can("models:write")) return null;
  const shown = { version, reload, purged, onClose: () => setAsked("") };
  const button = (kind, text) => html`<button type="button" class=${small && "small"} onClick=${() => setAsked(kind)}
    aria-label=${`${text} version ${version.version}`}>${text}</button>`;
  return html`${version.deleted_at ? html`${button("restore", "Restore")} ${button("purge", "Purge")}` : button("delete", "Delete")}
    ${asked === "delete" && html`<${Delete} ...${shown} />`}
    ${asked === "restore" && html`<${Restore} ...${shown} />`}
    ${asked === "purge" && html`<${Purge} ...${shown} />`}`;
}

const named = (version) => `version ${version.version} of ${version.model}`;
const pathOf = (version) => ({ model: version.model, number: version.version });

function Delete({ version, reload, onClose }) {
  const number = version.version;
  const found = useResource(async (signal) => { // a version of a list has no ETag; this one is of the aliases that are shown
    const { etag } = await call("get_version", pathOf(version), { signal, query: { include_deleted: true } });
    const { aliases } = await call("list_aliases", { model: version.model }, { signal });
    return { etag, aliases: aliases.filter((one) => one.routes.some((route) => route.version === number) || one.shadow?.version === number) };
  }, []);
  const again = () => { found.reload(); reload(); };
  const remove = () => guarded(again, async () => {
    const query = { force: found.data.aliases.length > 0 || undefined };
    const done = await call("delete_version", pathOf(version), { ifMatch: found.data.etag, query });
    const lost = done.removed_aliases?.length ? ` Removed: ${done.removed_aliases.join(", ")}.` : "";
    tell(`Version ${number} is deleted.${lost}`);
    reload();
  });
  return html`<${Confirm} title=${`Delete ${named(version)}?`} action=${found.data?.aliases.length ? "Delete, and change the aliases" : "Delete"} danger
    disabled=${!found.data} onConfirm=${remove} onClose=${onClose}>
    <p>It is not served any more. It can be restored until it is purged, after the days that deleted ones are kept.</p>
    <${Loaded} from=${found} rows=${1}>${({ aliases }) => (aliases.length
      ? html`<p>These aliases lead to it:</p><ul>${aliases.map((one) => html`<li key=${one.alias}><b>${one.alias}</b> ${effect(one, number)}</li>`)}</ul>`
      : html`<p>No alias leads to it.</p>`)}<//><//>`;
}

function effect(alias, number) {
  const share = alias.routes.find((route) => route.version === number)?.weight;
  const others = alias.routes.filter((route) => route.version !== number).map((route) => `version ${route.version}`).join(", ");
  if (share === undefined) return "sends it copies of its requests; it will have no shadow.";
  return others ? `gives it ${share} % of its requests; ${others} will share them.` : "sends it all its requests; the alias will be removed.";
}

function Restore({ version, reload, onClose }) {
  const restore = () => guarded(reload, async () => {
    await call("restore_version", pathOf(version), { ifMatch: version.etag });
    tell(`Version ${version.version} is restored.`);
    reload();
  });
  return html`<${Confirm} title=${`Restore ${named(version)}?`} action="Restore" onConfirm=${restore} onClose=${onClose}>
    <p>It can be served again. Aliases that were removed with it stay removed.</p><//>`;
}

function Purge({ version, reload, purged, onClose }) {
  const purge = () => guarded(reload, async () => {
    const { status } = await call("delete_version", pathOf(version), { ifMatch: version.etag, query: { purge: true } });
    tell(status === 202 ? `The purge of version ${version.version} goes on.` : `Version ${version.version} is purged.`);
    purged();
  });
  return html`<${Confirm} title=${`Purge ${named(version)}?`} action="Purge for good" danger type=${version.model} onConfirm=${purge} onClose=${onClose}>
    <p>Its files are deleted for good. Its number is not used again, and its history is kept.</p><//>`;
}
