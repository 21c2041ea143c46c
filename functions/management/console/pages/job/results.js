// What a job has written: parts, each with a link that is valid for a limited time.
import { html } from "../../lib.js";
import { pageOf } from "../../api.js";
import { bytes, count } from "../../format.js";
import { usePages } from "../../resource.js";
import { Digest, Loaded, More, Table } from "../../ui.js";

export function Results({ job }) {
  const read = (signal, token) => pageOf("job_results", { job: job.id }, "results", { token, signal });
  const results = usePages(read, [job.id], { again: `${job.status} ${job.progress?.shards_done}` });
  const columns = [
    ["File", (part) => html`<a href=${part.url} rel="noreferrer" target="_blank">${part.name}</a>`],
    ["Rows", (part) => count(part.rows), "number"],
    ["Size", (part) => bytes(part.size_bytes), "number"],
    ["SHA-256", (part) => html`<${Digest} of=${part.sha256} />`],
  ];
  const command = job.kind === "infer" ? html`<code>maas job answer ${job.id}</code> prints the answer.`
    : html`<code>maas job download ${job.id}</code> fetches all and joins them.`;
  return html`<h2>Results</h2>
    <p class="hint">The links are valid for a limited time: load this page again for new ones. ${command}</p>
    <${Loaded} from=${results} rows=${2}>${({ items, header_length: header }) => html`
      ${header != null && html`<p>The answer is binary: its first ${count(header)} bytes are JSON.</p>`}
      <${Table} caption="Results" columns=${columns} rows=${items} keyOf=${(part) => part.name} empty="Nothing is written yet." />`}<//>
    <${More} from=${results} />
    ${job.progress?.errors > 0 && html`<h3>Where the errors are</h3><p>${whereErrorsAre(job.input)}</p>`}`;
}

function whereErrorsAre(input) {
  const format = input.toLowerCase().replace(/\.gz$/, "").split(".").at(-1);
  const beside = html`and a line in <code>….errors.jsonl</code> with the reason.`;
  if (format === "csv") return html`Every record has its line. One that is bad has no outputs, and the reason in the last column, <code>error</code>.`;
  if (format === "npy") return html`Every record has its row. One that is bad has NaN, 0, False or an empty text there, ${beside}`;
  if (format === "parquet") return html`Every record has its row. One that is bad has nulls there, ${beside}`;
  return html`Every record has its line. For one that is bad it is <code>${'{"error": …, "record": …}'}</code>: the reason, and what was sent.`;
}
