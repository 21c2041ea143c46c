// Batch jobs and asynchronous inferences, newest first.
import { html, useState } from "../lib.js";
import { pageOf } from "../api.js";
import { span } from "../format.js";
import { Choice, Text } from "../inputs.js";
import { usePages } from "../resource.js";
import { go, modelPath, to } from "../router.js";
import { can } from "../session.js";
import { Empty, Loaded, More, Page, Status, Table, Time } from "../ui.js";
import { isOpen, POLL, SeenProgress, took } from "./jobs/progress.js";
import { StartJob } from "./jobs/start.js";

const STATUSES = [["", "all"], ["open", "open"], ["SUCCEEDED", "succeeded"], ["FAILED", "failed"], ["CANCELLED", "cancelled"]];
const IDLE = 30_000; // ms between looks while no job is open, as others may start one

export default function Jobs() {
  const [starting, setStarting] = useState(false);
  const start = can("jobs") && html`<button type="button" class="primary" onClick=${() => setStarting(true)}>Start a job</button>`;
  return html`<${Page} title="Jobs" actions=${start}>
    ${can("jobs") ? html`<${List} />` : html`<${OneById} />`}
    ${starting && html`<${StartJob} onClose=${() => setStarting(false)} />`}<//>`;
}

function List() {
  const [status, setStatus] = useState("");
  const read = (signal, token) => pageOf("list_jobs", {}, "jobs", { token, signal });
  const jobs = usePages(read, [], { every: ({ items }) => (items.some(isOpen) ? POLL : IDLE) });
  const columns = [
    ["Job", (job) => html`<a class="mono id" href=${to(`/jobs/${job.id}`)}>${job.id}</a>
      ${job.kind === "infer" && html`<span class="tag">one request</span>`}`],
    ["Status", (job) => html`<${Status} value=${job.status} />`],
    ["Model", (job) => html`<a href=${to(modelPath(job.model, `/versions/${job.version}`))}>${job.model}@${job.version}</a>`],
    ["Progress", (job) => html`<${SeenProgress} job=${job} />`, "wide"],
    ["Started", (job) => html`<${Time} at=${job.started_at} />`],
    ["Took", (job) => span(took(job)), "number"],
    ["Input", (job) => html`<span class="mono">${job.input}</span>`, "wide"],
  ];
  return html`<${Choice} label="Status" value=${status} set=${setStatus} options=${STATUSES} />
    <${Loaded} from=${jobs}>${({ items }) => html`
      <${Table} caption="Jobs" columns=${columns} rows=${items.filter((job) => fits(job, status))} keyOf=${(job) => job.id}
        empty=${items.length ? noneOf(jobs) : html`There is no job yet. Start one here, or with <code>maas batch MODEL rows.jsonl</code>`} />`}<//>
    <${More} from=${jobs} />`;
}

const noneOf = ({ more }) => (more ? "None of the newest jobs has this status." : "No job has this status.");
const fits = (job, status) => !status || (status === "open" ? isOpen(job) : job.status === status);

// A key without the scope `jobs` sees the jobs that it created, but has no list of them.
function OneById() {
  const [typed, setTyped] = useState("");
  const open = (event) => {
    event.preventDefault();
    go(`/jobs/${encodeURIComponent(typed.trim())}`);
  };
  return html`<${Empty}>Your key may see the jobs that it created itself, each by its id. A list of all jobs needs the scope jobs.<//>
    <form class="row" onSubmit=${open}>
      <${Text} label="Job" required pattern="[0-9a-f]{20}" title="20 digits from 0 to f" class="mono" value=${typed} set=${setTyped} />
      <button type="submit">Open</button></form>`;
}
