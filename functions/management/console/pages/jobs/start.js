// Starts a job on an object that lies in the bucket.
import { html, useState } from "../../lib.js";
import { call, onceOnly } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { Text } from "../../inputs.js";
import { useResource } from "../../resource.js";
import { go } from "../../router.js";
import { can } from "../../session.js";
import { Code, tell } from "../../ui.js";

const NOTHING = { model: "", version: "", input: "", output: "", errors: "", shadow: "" };
const PLACES = "batch/data/, batch/input/ or batch/output/";

export function StartJob({ onClose }) {
  const [wanted, setWanted] = useState(NOTHING);
  const [once] = useState(onceOnly);
  const models = useResource((signal) => listOf(signal), []);
  const names = models.data?.models ?? [];
  const chosen = names.find((one) => one.name === wanted.model);
  const text = (name) => ({ value: wanted[name], set: (value) => setWanted({ ...wanted, [name]: value }), spellcheck: false });
  const number = (name, min) => ({ ...text(name), type: "number", min, step: 1 });
  const start = async () => {
    const made = await call("create_job", {}, { body: bodyOf(wanted), once });
    tell(`Job ${made.id} has begun.`);
    go(`/jobs/${made.id}`);
  };
  const reference = `${wanted.model || "MODEL"}${wanted.version ? `@${wanted.version}` : ""}`;
  return html`<${Confirm} title="Start a job" action="Start" onConfirm=${start} onClose=${onClose}>
    <p>Each record of the file is predicted by one version, which is fixed now. What the job reads and computes is charged.</p>
    <${Text} label="Model" ...${text("model")} required list="job-models" />
    <${Text} label="Version or alias" ...${text("version")} list="job-versions"
      hint="Empty: the alias default if there is one, else the newest READY version." />
    <${Text} label="Input" ...${text("input")} required placeholder="batch/data/images.npy"
      hint=${`A .jsonl, .csv, .npy or .parquet file in the bucket, below ${PLACES}.`} />
    <details><summary>More options</summary>
      <${Text} label="Most errors" ...${number("errors", 0)}
        hint="With more bad records than this, the job fails. Empty: bad records never fail it, unless all are bad." />
      <${Text} label="Output folder" ...${text("output")} placeholder="batch/output/nightly/"
        hint="A folder that no other job writes to. Empty: one of the job's own." />
      <${Text} label="Shadow version" ...${number("shadow", 1)}
        hint="This version runs on the records too, and its outputs are compared. It costs as much again." />
    </details>
    <details><summary>The file is on this computer</summary>
      <p>A page of this origin may not upload to the bucket, which has another one. The command uploads the file, waits, and downloads the results:</p>
      <${Code} text=${`maas batch ${reference} rows.jsonl`} /></details>
    <datalist id="job-models">${names.map((one) => html`<option value=${one.name} />`)}</datalist>
    <datalist id="job-versions">${Object.keys(chosen?.aliases ?? {}).map((name) => html`<option value=${name} />`)}</datalist><//>`;
}

// Names to choose from, for a caller who may see models.
function listOf(signal) {
  return can("models:read") ? call("list_models", {}, { signal, query: { limit: 100, status: "READY" } }) : { models: [] };
}

function bodyOf(wanted) {
  const { model, version, input, output, errors, shadow } = Object.fromEntries(Object.entries(wanted).map(([name, text]) => [name, text.trim()]));
  return {
    model,
    version: version || undefined,
    input,
    output: output || undefined,
    options: errors === "" ? undefined : { max_errors: Number(errors) },
    shadow: shadow === "" ? undefined : { version: Number(shadow) },
  };
}
