// Which form of the version answers, if it has another than the pushed one.
import { html } from "../../lib.js";
import { Choice } from "../../inputs.js";

export function Variant({ about, value, onChange, wrong }) {
  if (!about.quantized?.kept) return null;
  const { scheme } = about.quantized;
  return html`<${Choice} label="Form" error=${wrong("variant")} value=${value ?? ""} set=${(chosen) => onChange(chosen || undefined)}
    options=${[["", "as pushed"], [scheme, scheme]]} />`;
}
