// Small controls that the dialogs share.
import { html } from "../../lib.js";
import { Field } from "../../ui.js";

// A number with its label beside it; what is no number is 0.
export function Num({ label, value, set, ...rest }) {
  const put = ({ target }) => set(target.valueAsNumber || 0);
  return html`<label>${label} <input type="number" required ...${rest} value=${value || ""} onInput=${put} /></label>`;
}

// options: [[value, text]].
export function Choice({ label, value, set, options }) {
  return html`<${Field} label=${label}>${(id) => html`<select id=${id} value=${value} onChange=${({ target }) => set(target.value)}>
    ${options.map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}</select>`}<//>`;
}

export function Text({ label, value, set, hint, placeholder }) {
  return html`<${Field} label=${label} hint=${hint}>${(id, about) => html`<input id=${id} aria-describedby=${about} autocomplete="off"
    placeholder=${placeholder} value=${value} onInput=${({ target }) => set(target.value)} />`}<//>`;
}
