// Starts a job on an object that lies in the bucket.
import { html, useMemo, useState } from "../../lib.js";
import { call } from "../../api.js";
import { useResource } from "../../resource.js";
import { go } from "../../router.js";
import { can } from "../../session.js";
import { Code, Confirm, Field, tell } from "../../ui.js";

const NOTHING = { model: "", version: "", input: "", output: "", errors: "", shadow: "" };
const PLACES = "batch/data/, batch/input/ or batch/output/";

export function StartJob({ model = "", onClose }) {
  const [wanted, setWanted] = useState({ ...NOTHING, model });
  const once = useMemo(() => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join(""), []);
  const models = useResource((signal) => (can("models:read") ? call("list_models", {}, { signal, query: { limit: 100, status: "READY" } }) : { models: [] }), []);
  const names = models.data?.models ?? [];
  const chosen = names.find((one) => one.name === wanted.model);
  const edit = (name) => (event) => setWanted({ ...wanted, [name]: event.target.value });
  const input = (name, more) => (id, about) => html`<input id=${id} aria-describedby=${about} value=${wanted[name]} autocomplete="off" spellcheck="false" onInput=${edit(name)} ...${more} />`;
  const start = async () => {
    const made = await call("create_job", {}, { body: bodyOf(wanted), once });
    tell(`Job ${made.id} has begun.`);
    go(`/jobs/${made.id}`);
  };
  const reference = `${wanted.model || "MODEL"}${wanted.version ? `@${wanted.version}` : ""}`;
  return html`<${Confirm} title="Start a job" action="Start" onConfirm=${start} onClose=${onClose}>
    <p>Each record of the file is predicted by one version, which is fixed now. What the job reads and computes is charged.</p>
    <${Field} label="Model">${input("model", { required: true, list: "job-models" })}<//>
    <${Field} label="Version or alias" hint="Empty: the alias default if there is one, else the newest READY version.">${input("version", { list: "job-versions" })}<//>
    <${Field} label="Input" hint=${`A .jsonl, .csv, .npy or .parquet file in the bucket, below ${PLACES}.`}>${input("input", { required: true, placeholder: "batch/data/images.npy" })}<//>
    <details><summary>More options</summary>
      <${Field} label="Most errors" hint="With more bad records than this, the job fails. Empty: bad records never fail it, unless all are bad.">${input("errors", { type: "number", min: 0, step: 1 })}<//>
      <${Field} label="Output folder" hint="A folder that no other job writes to. Empty: one of the job's own.">${input("output", { placeholder: "batch/output/nightly/" })}<//>
      <${Field} label="Shadow version" hint="This version runs on the records too, and its outputs are compared. It costs as much again.">${input("shadow", { type: "number", min: 1, step: 1 })}<//>
    </details>
    <details><summary>The file is on this computer</summary>
      <p>A page of this origin may not upload to the bucket, which has another one. The command uploads the file, waits, and downloads the results:</p>
      <${Code} text=${`maas batch ${reference} rows.jsonl`} /></details>
    <datalist id="job-models">${names.map((one) => html`<option value=${one.name} />`)}</datalist>
    <datalist id="job-versions">${Object.keys(chosen?.aliases ?? {}).map((name) => html`<option value=${name} />`)}</datalist><//>`;
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
