// Controls with their labels, as the forms of several pages have them. `set` gets the new value.
import { html, useState } from "./lib.js";
import { Field } from "./ui.js";

// A number with its label beside it; what is no number is 0.
export function Num({ label, value, set, ...rest }) {
  const [typed, setTyped] = useState(String(value)); // 0.05 begins with 0 and with 0.0
  const put = ({ target }) => {
    setTyped(target.value);
    set(target.valueAsNumber || 0);
  };
  return html`<label>${label} <input type="number" required ...${rest} value=${Number(typed) === value ? typed : value} onInput=${put} /></label>`;
}

// options: [[value, text, disabled?]].
export function Choice({ label, hint, error, value, set, options }) {
  const put = ({ target }) => set(target.value);
  return html`<${Field} label=${label} hint=${hint} error=${error}>${(id, about) => html`<select id=${id} aria-describedby=${about} value=${value} onChange=${put}>
    ${options.map(([name, text, disabled]) => html`<option key=${name} value=${name} disabled=${disabled}>${text}</option>`)}</select>`}<//>`;
}

// A line of text; `rest` are attributes of the input, such as its type.
export function Text({ label, hint, error, value, set, ...rest }) {
  const put = ({ target }) => set(target.value);
  return html`<${Field} label=${label} hint=${hint} error=${error}>${(id, about) => html`<input id=${id} aria-describedby=${about} autocomplete="off" ...${rest}
    value=${value} onInput=${put} />`}<//>`;
}

// Yes or no, with its label behind it.
export function Check({ label, value, set }) {
  return html`<label><input type="checkbox" checked=${value} onChange=${({ target }) => set(target.checked)} /> ${label}</label>`;
}
