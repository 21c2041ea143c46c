// Asks for a key, and finds out whose it is.
import { html, useState } from "./lib.js";
import { call } from "./api.js";
import { begin, farewell } from "./session.js";
import { Text } from "./inputs.js";
import { Problem, useAction } from "./ui.js";

const WORDS = {
  keys: ["API key", "The text that begins with maas_; maas local and maas keys create print it."],
  jwt: ["Access token", "A token of your issuer with MaaS's scopes, for instance models:read."],
};
const REFUSED = "This key is not accepted: look whether it is whole, expired or revoked.";

export function Login({ auth }) {
  const [key, setKey] = useState("");
  const { run, busy, error } = useAction(async () => {
    const text = key.trim().replace(/^Bearer\s+/i, "");
    if (!/^[!-~]+$/.test(text)) throw new Error(REFUSED); // no header could carry it
    begin(text, await call("get_caller", {}, { key: text }));
  });
  if (!WORDS[auth]) {
    return html`<main class="login"><h1>MaaS</h1><p>This installation expects signatures of AWS's IAM (<code>Auth=iam</code>), which a browser
      has no key for. The console needs <code>Auth=keys</code> or <code>Auth=jwt</code>; the command <code>maas</code> works with all.</p></main>`;
  }
  const [label, hint] = WORDS[auth];
  return html`<main class="login"><h1>MaaS console</h1>
    ${farewell.value && html`<p role="status" class="notice">${farewell.value}</p>`}
    <form onSubmit=${run}><${Text} label=${label} hint=${hint} type="password" spellcheck="false" required value=${key} set=${setKey} />
      ${error && html`<${Problem} error=${refused(error)} />`}
      <button class="primary" disabled=${busy || !key.trim()}>${busy ? "Asking…" : "Log in"}</button></form>
    <p class="hint">It stays in this tab, until you log out or close it.</p></main>`;
}

// The gateway says of a wrong key only "Unauthorized" or "Forbidden".
function refused(error) {
  if (error.status === 401 || error.status === 403) return new Error(REFUSED);
  return error;
}
