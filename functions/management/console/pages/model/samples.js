// What an alias copies of its requests: to another version, which is compared (shadow), and to files (capture).
import { html, useEffect, useState } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { Loaded } from "../../ui.js";
import { useAlias } from "./alias_ends.js";
import { Check, Choice, Num, Text } from "../../inputs.js";

const DAYS = [1, 7, 30, 90, 365].map((days) => [days, days === 1 ? "a day" : `${days} days`]);
const WHAT = ["inputs", "outputs", "both"].map((what) => [what, what]);
const COMPARE = [["values", "each value is near enough"], ["top1", "the largest is at the same place"], ["none", "they are not compared"]];
const NEW = { shadow: { percent: 10, compare: { rtol: 1e-3, atol: 1e-5 } }, capture: { percent: 1, what: "both", days: 7, redact: [] } };

export function Samples({ model, alias, changed, onClose }) {
  const { found, guarded, meanwhile } = useAlias(model.name, alias.alias);
  const [before, setBefore] = useState(alias);
  const [shadow, setShadow] = useState(alias.shadow);
  const [capture, setCapture] = useState(alias.capture);
  useEffect(() => { // what was not touched follows what is there now
    if (!found.data) return;
    if (same(shadow, before.shadow)) setShadow(found.data.shadow);
    if (same(capture, before.capture)) setCapture(found.data.capture);
    setBefore(found.data);
  }, [found.data]);
  const edits = [["shadow", shadow], ["capture", capture]].filter(([name, value]) => !same(value, before[name]));
  const save = () => guarded(async (ifMatch) => {
    await call("put_alias", { model: model.name, alias: alias.alias }, { body: Object.fromEntries(edits), ifMatch });
    changed(`The copies of ${alias.alias} are changed.`);
  });
  const other = model.latest_ready_version;
  return html`<${Confirm} title=${`Copies of ${alias.alias}'s requests`} action="Save" disabled=${!edits.length} onConfirm=${save} onClose=${onClose}>
    <p class="hint">Copies are taken after the answer: no caller waits for them.</p>
    <fieldset><legend><${Check} label="Shadow: run them on another version too" value=${Boolean(shadow)}
        set=${(is) => setShadow(is ? { version: other, ...NEW.shadow } : null)} /></legend>
      ${shadow && html`<${Shadow} value=${shadow} set=${setShadow} />`}</fieldset>
    <fieldset><legend><${Check} label="Capture: write them to files" value=${Boolean(capture)}
        set=${(is) => setCapture(is ? NEW.capture : null)} /></legend>
      ${capture && html`<${Capture} value=${capture} set=${setCapture} />`}</fieldset>
    <${Loaded} from=${found} rows=${1}>${() => html`<p>${edits.length ? "This will change:" : "Nothing is changed yet."}</p>
      <ul>${edits.map(([name, value]) => html`<li key=${name}>${name}: ${said(name, before[name])} → ${said(name, value)}</li>`)}</ul>`}<//>
    ${meanwhile}<//>`;
}

function Shadow({ value, set }) {
  const { compare } = value;
  const how = typeof compare === "string" ? compare : "values";
  const put = (name) => (given) => set({ ...value, [name]: given });
  return html`<div class="row pair"><${Num} label="Version" min="1" value=${value.version} set=${put("version")} />
      <${Num} label="%" aria-label="Percent to the shadow" min="0.001" max="100" step="any" value=${value.percent} set=${put("percent")} /></div>
    <${Choice} label="Outputs are the same if" value=${how} options=${COMPARE} set=${(kind) => put("compare")(kind === "values" ? NEW.shadow.compare : kind)} />
    ${how === "values" && html`<div class="row pair">${["rtol", "atol"].map((name) => html`
      <${Num} key=${name} label=${name} min="0" step="any" style=${{ width: "7rem" }} value=${compare[name]}
        set=${(given) => put("compare")({ ...compare, [name]: given })} />`)}</div>`}`;
}

function Capture({ value, set }) {
  const put = (name) => (given) => set({ ...value, [name]: given });
  const [left, setLeft] = useState(value.redact.join(", "));
  const leave = (text) => {
    setLeft(text);
    put("redact")(text.split(",").map((one) => one.trim()).filter(Boolean));
  };
  return html`<div class="row"><${Num} label="%" aria-label="Percent to files" min="0.001" max="100" step="any" value=${value.percent} set=${put("percent")} />
      <${Choice} label="What" value=${value.what} options=${WHAT} set=${put("what")} />
      <${Choice} label="Kept for" value=${value.days} options=${DAYS} set=${(days) => put("days")(Number(days))} /></div>
    <${Text} label="Left out" hint="Names of tensors and parameters, with commas" value=${left} set=${leave} />`;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function said(name, value) {
  if (!value) return "none";
  if (name === "capture") {
    const without = value.redact.length ? `, without ${value.redact.join(", ")}` : "";
    return `${value.percent} %, ${value.what}, ${value.days} days${without}`;
  }
  const { compare } = value;
  return `${value.percent} % to v${value.version}, ${typeof compare === "string" ? compare : `rtol ${compare.rtol}, atol ${compare.atol}`}`;
}
