// The form of a task on texts: a text a line, and the options of the task.
import { html, useState } from "../../lib.js";
import { Check, Choice, Num, Text } from "../../inputs.js";
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
  const [chosen, setChosen] = useState({}); // options of the task by name
  const choose = (more) => setChosen({ ...chosen, ...more });
  collect.current = () => {
    const lines = texts.split(/\r?\n/).filter((line) => line.trim());
    if (!lines.length) throw new FieldError("text", "Write at least one text.");
    const column = (input, values) => ({ name: input, datatype: "BYTES", shape: [values.length], tokens: values.map((one) => JSON.stringify(one)) });
    const parameters = { ...chosen };
    if (name === "zero-shot-classification") parameters.candidate_labels = labels.split(",").map((one) => one.trim()).filter(Boolean);
    const inputs = [...(name === "rerank" ? [column("query", [query])] : []), column("text", lines)];
    return { inputs, parameters, task: name, texts: lines, query };
  };
  const options = (names) => names.map((one) => [one, one]);
  const mask = name === "fill-mask" ? `Each with ${known.mask_token} once: the place to fill.` : undefined;
  return html`
    ${name === "rerank" && html`<${Text} label="Query" error=${wrong("query")} value=${query} set=${setQuery} />`}
    <${Field} label="Texts, one a line" error=${wrong("text")} hint=${mask}>${(id, described) => html`
      <textarea id=${id} aria-describedby=${described} rows="6" value=${texts} onInput=${(event) => setTexts(event.target.value)} />`}<//>
    <div class="row">
      ${name === "zero-shot-classification" && html`
        <${Text} label="Labels, with commas between" error=${wrong("candidate_labels")} value=${labels} set=${setLabels} />`}
      ${name === "fill-mask" && html`<${Num} label="Tokens to show" min="1" value=${chosen.top_k ?? 5} set=${(value) => choose({ top_k: value })} />
        ${wrong("top_k") && html`<p class="wrong">${wrong("top_k")}</p>`}`}
      ${name === "token-classification" && html`<${Choice} label="Join words" error=${wrong("aggregation_strategy")}
        value=${chosen.aggregation_strategy ?? "simple"} set=${(value) => choose({ aggregation_strategy: value })} options=${options(STRATEGIES)} />`}
      ${name === "embeddings" && known.prompts && html`<${Choice} label="Prompt" error=${wrong("prompt_name")} value=${chosen.prompt_name ?? ""}
        set=${(value) => choose({ prompt_name: value || undefined })} options=${[["", "none"], ...options(Object.keys(known.prompts))]} />`}
      <${Variant} about=${about} value=${chosen.variant} onChange=${(variant) => choose({ variant })} wrong=${wrong} />
      <${Check} label="Cut texts that are too long" value=${chosen.truncate ?? false} set=${(value) => choose({ truncate: value || undefined })} />
    </div>`;
}
