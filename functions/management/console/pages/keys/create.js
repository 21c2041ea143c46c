// Creates a key with at most the rights of the one who is logged in.
import { html, useState } from "../../lib.js";
import { call, onceOnly } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { localText } from "../../format.js";
import { Check, Text } from "../../inputs.js";
import { session } from "../../session.js";
import { covers, SCOPES } from "./scopes.js";

const NAMES = "[a-z0-9][a-z0-9._\\-]{0,62}(\\s+[a-z0-9][a-z0-9._\\-]{0,62})*\\s*"; // as the API takes names of models

export function CreateKey({ onMade, onClose }) {
  const [once] = useState(onceOnly);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState([]);
  const [models, setModels] = useState("");
  const [expires, setExpires] = useState("");
  const [rate, setRate] = useState("");
  const { scopes: held, expires_at: ends, requests_per_second: most } = session.value;
  const ofModels = held.filter((scope) => scope.startsWith("infer:")).map((scope) => [scope, "using this model"]);
  const offered = [...SCOPES.filter(([scope]) => covers(scope)), ...ofModels];
  const choose = (scope) => (is) => setScopes(is ? [...scopes, scope] : scopes.filter((one) => one !== scope));
  const create = async () => {
    const wanted = [...scopes, ...models.split(/\s+/).filter(Boolean).map((model) => `infer:${model}`)];
    if (!wanted.length) throw new Error("Choose at least one scope.");
    const limits = { expires_at: expires ? endOf(expires, ends) : undefined, requests_per_second: rate === "" ? undefined : Number(rate) };
    onMade(await call("create_key", {}, { once, body: { name: name.trim(), scopes: [...new Set(wanted)], ...limits } }));
  };
  return html`<${Confirm} title="Create a key" action="Create" onConfirm=${create} onClose=${onClose}>
    <${Text} label="Name" hint="Says who or what uses it." required maxlength="100" value=${name} set=${setName} />
    <fieldset><legend>Scopes</legend>${offered.map(([scope, says]) => html`<div key=${scope}>
      <${Check} label=${html`<code>${scope}</code>`} value=${scopes.includes(scope)} set=${choose(scope)} /> <span class="hint">${says}</span></div>`)}
      ${covers("infer") && html`<${Text} label="Only these models" hint="Names with a space between. Each gives the scope infer:NAME."
        pattern=${NAMES} title="names of models: small letters, digits, points, hyphens and underscores" spellcheck=${false}
        value=${models} set=${setModels} />`}</fieldset>
    <${Text} label="Expires at the end of" hint=${ends ? `At the latest as your own: ${dayOf(ends)}. Empty: then.` : "Empty: never."}
      type="date" min=${dayOf(Date.now())} max=${ends ? dayOf(ends) : undefined} value=${expires} set=${setExpires} />
    <${Text} label="Requests per second" hint=${most ? `At most ${most}, as your own. Empty: ${most}.` : "Empty: the limit of all keys, if there is one."}
      type="number" min="1" max=${most ?? 1_000_000} step="1" value=${rate} set=${setRate} /><//>`;
}

// The day in this browser's time zone, as a date input takes it.
const dayOf = (at) => localText(at).slice(0, 10);

// The last moment of a day in this browser's time zone, or the caller's own end if that comes before.
function endOf(day, ends) {
  const last = new Date(`${day}T23:59:59.999`);
  return (ends && new Date(ends) < last ? new Date(ends) : last).toISOString();
}
