// The form of a task on texts: a text a line, and the options of the task.
import { html, useState } from "../../lib.js";
import { Field } from "../../ui.js";
import { FieldError } from "./request.js";
import { Variant } from "./variant.js";

const EXAMPLES = {
  embeddings: "The cat sat on the mat.\nA kitten slept on the rug.\nInterest rates rose in March.",
  rerank: "The cat sat on the mat.\nA bank lends money.\nCats sleep most of the day.",
  "text-classification": "I liked it a lot.\nIt was too long and too loud.",
  "zero-shot-classification": "The cat sat on the mat.\nThe bank raised its rates.",
  "token-classification": "Maria Schmidt works for Deutsche Bank in Berlin.",
};
const STRATEGIES = ["simple", "none", "first", "average", "max"];

export default function Texts({ about, collect, wrong }) {
  const { name, parameters: known } = about.task;
  const [texts, setTexts] = useState(EXAMPLES[name] ?? `Paris is the ${known.mask_token} of France.`);
  const [query, setQuery] = useState("Where did the cat sit?");
  const [labels, setLabels] = useState("animals, finance");
  const [options, setOptions] = useState({});
  const set = (more) => setOptions({ ...options, ...more });
  collect.current = () => {
    const lines = texts.split(/\r?\n/).filter((line) => line.trim());
    if (!lines.length) throw new FieldError("text", "Write at least one text.");
    const column = (input, values) => ({ name: input, datatype: "BYTES", shape: [values.length], tokens: values.map((one) => JSON.stringify(one)) });
    const parameters = { ...options };
    if (name === "zero-shot-classification") parameters.candidate_labels = labels.split(",").map((one) => one.trim()).filter(Boolean);
    const inputs = [...(name === "rerank" ? [column("query", [query])] : []), column("text", lines)];
    return { inputs, parameters, task: name, texts: lines, query };
  };
  return html`
    ${name === "rerank" && html`<${Field} label="Query" error=${wrong("query")}>
      ${(id, described) => html`<input id=${id} aria-describedby=${described} value=${query} onInput=${(event) => setQuery(event.target.value)} />`}<//>`}
    <${Field} label="Texts, one a line" error=${wrong("text")}
      hint=${name === "fill-mask" ? `Each with ${known.mask_token} once: the place to fill.` : undefined}>${(id, described) => html`
      <textarea id=${id} aria-describedby=${described} rows="6" value=${texts} onInput=${(event) => setTexts(event.target.value)} />`}<//>
    <div class="row">
      ${name === "zero-shot-classification" && html`<${Field} label="Labels, with commas between" error=${wrong("candidate_labels")}>
        ${(id, described) => html`<input id=${id} aria-describedby=${described} value=${labels} onInput=${(event) => setLabels(event.target.value)} />`}<//>`}
      ${name === "fill-mask" && html`<${Field} label="Tokens to show" error=${wrong("top_k")}>
        ${(id, described) => html`<input id=${id} aria-describedby=${described} type="number" min="1" value=${options.top_k ?? 5}
        onInput=${(event) => set({ top_k: Number(event.target.value) })} />`}<//>`}
      ${name === "token-classification" && html`<${Field} label="Join words" error=${wrong("aggregation_strategy")}>
        ${(id) => html`<select id=${id} value=${options.aggregation_strategy ?? "simple"}
        onChange=${(event) => set({ aggregation_strategy: event.target.value })}>${STRATEGIES.map((one) => html`<option key=${one}>
        ${one}</option>`)}</select>`}<//>`}
      ${name === "embeddings" && known.prompts && html`<${Field} label="Prompt" error=${wrong("prompt_name")}>
        ${(id) => html`<select id=${id} value=${options.prompt_name ?? ""} onChange=${(event) => set({ prompt_name: event.target.value || undefined })}>
        <option value="">none</option>${Object.keys(known.prompts).map((one) => html`<option key=${one}>${one}</option>`)}</select>`}<//>`}
      <${Variant} about=${about} value=${options.variant} onChange=${(variant) => set({ variant })} wrong=${wrong} />
      <label><input type="checkbox" checked=${options.truncate ?? false}
        onChange=${(event) => set({ truncate: event.target.checked || undefined })} /> Cut texts that are too long</label>
    </div>`;
}
