// Description and tags of a model or a version, guarded by its ETag: a change that came between is shown, and nothing typed is lost.
import { html, useState } from "../../lib.js";
import { Confirm } from "../../dialogs.js";
import { changesSince } from "../../entries.js";
import { Field } from "../../ui.js";
import { Meanwhile } from "./words.js";

// update(body, ifMatch) sends the change of `item`; changed(text) says that it is made.
export function Edit({ item, title, update, changed, onClose }) {
  const [base, setBase] = useState(item); // what was read last; the list below says how the form differs from it
  const [description, setDescription] = useState(item.description);
  const [tags, setTags] = useState(Object.entries(item.tags));
  const [meanwhile, setMeanwhile] = useState([]);
  const edits = differences(base, description, tags);
  const names = tags.map(([name]) => name.trim()).filter(Boolean);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  const save = async () => {
    try {
      await update(body(edits), base.etag);
    } catch (error) {
      if (error.status === 412) {
        const current = error.current;
        const entries = await changesSince(item.model ?? item.name, base.etag);
        setMeanwhile(entries.filter((entry) => !item.version || entry.version === item.version));
        setDescription((typed) => (typed === base.description ? current.description : typed));
        setTags((typed) => rebased(base.tags, typed, current.tags));
        setBase(current);
      }
      throw error;
    }
    changed(`The change of ${title} is saved.`);
  };
  const setTag = (place, pair) => setTags(tags.map((old, at) => (at === place ? pair : old)));
  const drop = (place) => setTags(tags.filter((_, at) => at !== place));
  return html`<${Confirm} title=${`Edit ${title}`} action="Save" disabled=${!edits.length || twice} onConfirm=${save} onClose=${onClose}>
    <${Field} label="Description">${(id) => html`
      <textarea id=${id} rows="3" maxlength="2000" value=${description} onInput=${({ target }) => setDescription(target.value)} />`}<//>
    <fieldset><legend>Tags</legend>
      ${tags.map(([name, value], place) => html`<div class="row pair" key=${place}>
        <input aria-label="Tag" placeholder="name" value=${name} onInput=${({ target }) => setTag(place, [target.value, value])} />
        <input aria-label=${`Value of ${name || "the tag"}`} placeholder="value" value=${value}
          onInput=${({ target }) => setTag(place, [name, target.value])} />
        <button type="button" class="small" aria-label=${`Remove ${name || "the tag"}`} onClick=${() => drop(place)}>Remove</button></div>`)}
      <button type="button" class="small" onClick=${() => setTags([...tags, ["", ""]])}>Add a tag</button>
      ${twice && html`<p class="wrong" role="alert">The tag ${twice} is there twice.</p>`}</fieldset>
    ${meanwhile.length > 0 && html`<${Meanwhile} entries=${meanwhile} />`}
    <div aria-live="polite"><p>${edits.length ? "This will change:" : "Nothing is changed yet."}</p>
      <ul>${edits.map(({ what, from, to }) => html`<li key=${what}>${what}: ${said(from)} → ${said(to)}</li>`)}</ul></div><//>`;
}

const said = (text) => (text == null ? "none" : text === "" ? "empty" : `“${text}”`);

function differences(base, description, pairs) {
  const tags = Object.fromEntries(pairs.map(([name, value]) => [name.trim(), value]).filter(([name]) => name));
  const names = [...new Set([...Object.keys(base.tags), ...Object.keys(tags)])].filter((name) => base.tags[name] !== tags[name]);
  const found = names.map((tag) => ({ tag, what: `tag ${tag}`, from: base.tags[tag], to: tags[tag] }));
  return description === base.description ? found : [{ what: "description", from: base.description, to: description }, ...found];
}

function body(edits) {
  const tags = Object.fromEntries(edits.filter((edit) => edit.tag !== undefined).map((edit) => [edit.tag, edit.to ?? null]));
  const description = edits.find((edit) => edit.what === "description" && edit.tag === undefined)?.to;
  return { description, tags: Object.keys(tags).length ? tags : undefined };
}

// What was typed stays; tags that were not touched follow what is there now.
function rebased(base, typed, current) {
  const touched = (name) => Object.fromEntries(typed)[name] !== base[name];
  const kept = typed.filter(([name]) => !(name in base) || touched(name));
  const removed = Object.keys(base).filter((name) => !typed.some(([one]) => one === name));
  const names = kept.map(([name]) => name);
  return [...Object.entries(current).filter(([name]) => !names.includes(name) && !removed.includes(name)), ...kept];
}
