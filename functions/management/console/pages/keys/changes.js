// Rotating and revoking a key, its history, and its secret, which is shown once.
import { html, useState } from "../../lib.js";
import { all, call } from "../../api.js";
import { Confirm, Dialog } from "../../dialogs.js";
import { clock } from "../../format.js";
import { Choice } from "../../inputs.js";
import { useResource } from "../../resource.js";
import { end } from "../../session.js";
import { Code, Loaded, Table, tell, Time } from "../../ui.js";

const GRACES = [[0, "at once"], [3600, "in an hour"], [86400, "in a day"], [7 * 86400, "in 7 days"], [30 * 86400, "in 30 days"]];
const KINDS = { "key.created": "created", "key.rotated": "rotated", "key.revoked": "revoked" };

// Whoever shows this forgets the secret in onClose: nothing else keeps it.
export function Secret({ name, text, onClose }) {
  return html`<${Dialog} title=${`The secret of ${name}`} onClose=${onClose}>
    <p><strong>Copy it now: it is not shown again.</strong> Only a digest of it is stored, so nobody can look it up later. If it is lost, rotate the key.</p>
    <${Code} text=${text} />
    <div class="actions"><button type="button" class="primary" onClick=${onClose}>I have stored it</button></div><//>`;
}

export function RotateKey({ apiKey, isOwn, onMade, onClose }) {
  const [grace, setGrace] = useState(3600);
  const rotate = async () => onMade(await call("rotate_key", { id: apiKey.id }, { body: { grace_seconds: grace } }));
  return html`<${Confirm} title=${`Rotate ${apiKey.name}?`} action="Rotate" onConfirm=${rotate} onClose=${onClose}>
    <p>It gets a new secret, which is shown once. Its id, name, scopes and history stay. Whoever uses it needs the new secret before the old one ends.</p>
    ${isOwn && html`<p class="notice">You are logged in with this key: log in again with the new secret before the old one ends.</p>`}
    <${Choice} label="The old secret ends" value=${grace} set=${(seconds) => setGrace(Number(seconds))} options=${GRACES} /><//>`;
}

export function RevokeKey({ apiKey, isOwn, onDone, onClose }) {
  const revoke = async () => {
    await call("revoke_key", { id: apiKey.id });
    if (isOwn) return end("The key that you were logged in with is revoked.");
    tell(`${apiKey.name} is revoked.`);
    onDone();
  };
  return html`<${Confirm} title=${`Revoke ${apiKey.name}?`} action="Revoke" danger onConfirm=${revoke} onClose=${onClose}>
    <p>Requests with it are refused from now on, within some seconds, and for good: a revoked key cannot come back. Its history stays.</p>
    <p>${apiKey.used_at ? html`It was last used <${Time} at=${apiKey.used_at} />.` : "It was never used."}</p>
    ${isOwn && html`<p class="notice">You are logged in with this key: this logs you out.</p>`}<//>`;
}

export function KeyHistory({ apiKey, onClose }) {
  const history = useResource((signal) => all("key_history", { id: apiKey.id }, "entries", { signal }), [apiKey.id]);
  const columns = [
    ["When", (entry) => html`<${Time} at=${entry.at} />`],
    ["What", (entry) => KINDS[entry.kind] ?? entry.kind],
    ["Who", (entry) => html`<span class="mono">${entry.actor}</span>`, "wide"],
    ["Then", (entry) => Object.entries(entry.after).map(([name, value]) => html`<div key=${name}>${name}: ${shown(name, value)}</div>`)],
  ];
  return html`<${Dialog} title=${`History of ${apiKey.name}`} onClose=${onClose}>
    <${Loaded} from=${history} rows=${2}>${({ items }) => html`
      <${Table} caption="History" columns=${columns} rows=${items} keyOf=${(entry) => entry.revision} />`}<//>
    <div class="actions"><button type="button" onClick=${onClose}>Close</button></div><//>`;
}

function shown(name, value) {
  if (value == null) return "none";
  return /_(at|until)$/.test(name) ? clock(value) : [value].flat().join(", ");
}
