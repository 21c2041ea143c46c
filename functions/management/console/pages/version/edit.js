// Description and tags of a version, guarded by its ETag: a change that came between is shown, and nothing typed is lost.
import { html, useState } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm, Field, Tags, tell } from "../../ui.js";

export function Edit({ version, reload }) {
  const [edited, setEdited] = useState(null); // the version as it was when the dialog was opened
  return html`<button type="button" class="small" onClick=${() => setEdited(version)}>Edit</button>
    ${edited && html`<${Form} version=${edited} reload=${reload} onClose=${() => setEdited(null)} />`}`;
}

function Form({ version, reload, onClose }) {
  const [description, setDescription] = useState(version.description);
  const [lines, setLines] = useState(Object.entries(version.tags).map(([name, value]) => `${name}=${value}`).join("\n"));
  const [now, setNow] = useState(version); // what was read last; only what was changed here is sent
  const save = async () => {
    const body = { description: description === version.description ? undefined : description, tags: changedTags(version.tags, lines) };
    try {
      await call("update_version", { model: version.model, number: version.version }, { body, ifMatch: now.etag });
    } catch (error) {
      if (error.status === 412) setNow(error.current);
      throw error;
    }
    tell(`Version ${version.version} is changed.`);
    reload();
  };
  return html`<${Confirm} title=${`Edit version ${version.version} of ${version.model}`} action="Save" onConfirm=${save} onClose=${onClose}>
    <${Field} label="Description">
      ${(id) => html`<textarea id=${id} rows="3" maxlength="2000" value=${description} onInput=${(event) => setDescription(event.target.value)} />`}<//>
    <${Field} label="Tags" hint="One a line, as name=value. A line that is removed removes its tag.">
      ${(id, about) => html`<textarea id=${id} aria-describedby=${about} rows="5" value=${lines}
      onInput=${(event) => setLines(event.target.value)} />`}<//>
    ${now !== version && html`<div class="notice" role="status"><p>It is now: ${now.description || "without a description"} <${Tags} tags=${now.tags} /></p>
      <p>What you changed is changed there, all else stays.</p></div>`}<//>`;
}

// What a PATCH takes: names with their new values, null for those that go. Throws for a line without a name or value.
function changedTags(old, lines) {
  const wanted = {};
  for (const line of lines.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const at = line.indexOf("=");
    if (at < 1 || at === line.length - 1) throw new Error(`Tags: “${line}” has no name or no value; write name=value`);
    wanted[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  const gone = Object.keys(old).filter((name) => !Object.hasOwn(wanted, name)).map((name) => [name, null]);
  return Object.fromEntries([...gone, ...Object.entries(wanted).filter(([name, value]) => old[name] !== value)]);
}
