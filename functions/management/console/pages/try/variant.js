// Which form of the version answers, if it has another than the pushed one.
import { html } from "../../lib.js";
import { Field } from "../../ui.js";

export function Variant({ about, value, onChange, wrong }) {
  if (!about.quantized?.kept) return null;
  return html`<${Field} label="Form" error=${wrong("variant")}>
    ${(id, described) => html`<select id=${id} aria-describedby=${described} value=${value ?? ""}
    onChange=${(event) => onChange(event.target.value || undefined)}>
    <option value="">as pushed</option><option>${about.quantized.scheme}</option></select>`}<//>`;
}
