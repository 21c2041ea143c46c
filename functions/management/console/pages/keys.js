// API keys: who may do what, and until when.
import { html, useState } from "../lib.js";
import { all } from "../api.js";
import { clock, count } from "../format.js";
import { Check } from "../inputs.js";
import { useResource } from "../resource.js";
import { auth, can, session } from "../session.js";
import { Empty, Loaded, Page, Status, Table, Time } from "../ui.js";
import { KeyHistory, RevokeKey, RotateKey, Secret } from "./keys/changes.js";
import { CreateKey } from "./keys/create.js";
import { mayRotate } from "./keys/scopes.js";

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const isOwn = (key) => session.value.actor === `key:${key.id}`;
const hasEnded = (key) => key.expires_at && Date.parse(key.expires_at) <= Date.now();

export default function Keys() {
  const [revoked, setRevoked] = useState(false);
  const [asked, setAsked] = useState({}); // {what, key}: the dialog that is open
  const [made, setMade] = useState(null); // the answer with a secret, while it is shown
  const read = (signal) => (can("keys") ? all("list_keys", {}, "keys", { signal, query: { include_revoked: revoked } }) : { items: [] });
  const keys = useResource(read, [revoked]);
  const close = () => setAsked({});
  const forget = () => {
    setMade(null);
    keys.reload();
  };
  if (!can("keys")) return html`<${Page} title="Keys"><${Empty}>Your key may not see keys: that needs the scope keys.<//><//>`;
  const dialog = { apiKey: asked.key, isOwn: asked.key && isOwn(asked.key), onClose: close };
  return html`<${Page} title="Keys" actions=${html`<button type="button" class="primary" onClick=${() => setAsked({ what: "create" })}>Create a key</button>`}>
    ${auth !== "keys" && html`<p class="notice">This installation does not accept API keys: callers authenticate by ${auth}.</p>`}
    <${Check} label="Show revoked" value=${revoked} set=${setRevoked} />
    <${Loaded} from=${keys}>${({ items, more }) => html`
      <${Table} caption="Keys" columns=${columnsFor(setAsked)} rows=${newestFirst(items)} keyOf=${(key) => key.id} empty="There is no key." />
      ${more && html`<p class="hint">Only the first ${count(items.length)} keys by id are shown.</p>`}`}<//>
    ${asked.what === "create" && html`<${CreateKey} onMade=${setMade} onClose=${close} />`}
    ${asked.what === "rotate" && html`<${RotateKey} ...${dialog} onMade=${setMade} />`}
    ${asked.what === "revoke" && html`<${RevokeKey} ...${dialog} onDone=${keys.reload} />`}
    ${asked.what === "history" && html`<${KeyHistory} ...${dialog} />`}
    ${made && html`<${Secret} name=${made.name} text=${made.key} onClose=${forget} />`}<//>`;
}

const newestFirst = (keys) => [...keys].sort((one, other) => other.created_at.localeCompare(one.created_at));

function columnsFor(ask) {
  const button = (key, what, text) => html`<button type="button" class="small" aria-label=${`${text} ${key.name}`}
    onClick=${() => ask({ what, key })}>${text}</button>`;
  return [
    ["Name", (key) => html`${key.name} ${isOwn(key) && html`<span class="tag">yours</span>`} <div class="mono hint id">${key.id}</div>`],
    ["Scopes", (key) => key.scopes.map((scope) => html`<span class="tag" key=${scope}>${scope}</span>`), "wide"],
    ["Limit", (key) => (key.requests_per_second ? html`<span class="id">${count(key.requests_per_second)} / s</span>` : "–")],
    ["Created", (key) => html`<${Time} at=${key.created_at} /><div class="hint mono id">${key.created_by}</div>`],
    ["Expires", (key) => html`<${Ends} apiKey=${key} />`],
    ["Last used", (key) => (key.used_at ? html`<span title="Exact to the hour"><${Time} at=${key.used_at} /></span>` : "never")],
    ["Actions", (key) => html`<div class="actions">${button(key, "history", "History")}
      ${mayRotate(key) && button(key, "rotate", "Rotate")}${!key.revoked_at && button(key, "revoke", "Revoke")}</div>`],
  ];
}

function Ends({ apiKey: key }) {
  if (key.revoked_at) return html`<${Status} value="REVOKED" /> <${Time} at=${key.revoked_at} /><div class="hint mono id">${key.revoked_by}</div>`;
  if (!key.expires_at) return "never";
  return html`${hasEnded(key) && html`<${Status} value="EXPIRED" />`} <span class="id" title=${clock(key.expires_at)}>${day.format(new Date(key.expires_at))}</span>`;
}
