// The answer as it came.
import { html } from "../../lib.js";
import { Code } from "../../ui.js";

const MOST = 20000; // characters that are shown

export function Json({ result }) {
  const { text } = result.answer;
  return html`<details><summary>The answer's JSON</summary><${Code} text=${text.length > MOST ? `${text.slice(0, MOST)}…` : text} /></details>`;
}
