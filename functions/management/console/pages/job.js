// A job: how far it is, what it wrote, and stopping or reviving it.
import { html, useState } from "../lib.js";
import { call } from "../api.js";
import { Confirm } from "../dialogs.js";
import { useResource } from "../resource.js";
import { to } from "../router.js";
import { can } from "../session.js";
import { Loaded, Page, Status, tell } from "../ui.js";
import { About, Figures, Shadow } from "./job/facts.js";
import { Results } from "./job/results.js";
import { isOpen, POLL, ProgressBar } from "./jobs/progress.js";

const CANCELLABLE = ["UPLOADING", "PLANNING", "RUNNING"];
const LONG = 15 * 60_000; // ms after which an open job may have lost its messages

export default function Job({ job: id }) {
  const job = useResource((signal) => call("get_job", { job: id }, { signal }), [id], { every: (found) => isOpen(found) && POLL });
  const [asked, setAsked] = useState("");
  const does = (name, said) => async () => {
    await call(name, { job: id });
    tell(said);
    job.reload();
  };
  const crumbs = can("jobs") ? [["Jobs", to("/jobs")]] : [];
  const close = () => setAsked("");
  return html`<${Page} title=${`Job ${id}`} crumbs=${crumbs} actions=${job.data && html`<${Actions} job=${job.data} ask=${setAsked} />`}>
    <${Loaded} from=${job}>${(found) => html`
      <p aria-live="polite"><${Status} value=${found.status} /> ${saidOf(found)}</p>
      ${found.reason && html`<div class=${found.status === "FAILED" ? "problem" : "notice"}><p>${found.reason}</p></div>`}
      ${found.progress && html`<${ProgressBar} job=${found} />`}
      <${Figures} job=${found} /><${Shadow} job=${found} />
      ${!["UPLOADING", "PLANNING"].includes(found.status) && html`<${Results} job=${found} />`}
      <${About} job=${found} />`}<//>
    ${asked === "cancel" && html`<${Confirm} title="Cancel this job?" action="Cancel the job" danger onClose=${close}
      onConfirm=${does("cancel_job", "The job is cancelled.")}>
      <p>No more shards are begun; those that run end. What is written stays. A cancelled job cannot go on: start a new one.</p><//>`}
    ${asked === "retry" && html`<${Confirm} title="Retry this job?" action="Retry" onClose=${close} onConfirm=${does("retry_job", "The job goes on.")}>
      <p>${job.data?.status === "FAILED" ? "What is missing runs again; finished parts stay as they are. The job is kept for another retention time."
        : "Shards that wait are queued again, in case their messages were lost. One that runs already is worked on twice, and written once."}</p><//>`}<//>`;
}

const saidOf = ({ kind, status }) => (kind === "infer" ? SAID_OF_ONE[status] : SAID[status]);

const SAID_OF_ONE = {
  UPLOADING: "The request is being uploaded.",
  PLANNING: "The request waits.",
  RUNNING: "The request is being answered.",
  FINISHING: "The answer is written.",
  SUCCEEDED: "The answer is there.",
  FAILED: "There is no answer.",
  CANCELLED: "It was stopped.",
};

const SAID = {
  UPLOADING: "The input is being uploaded.",
  PLANNING: "The input is looked at, and cut into shards.",
  RUNNING: "Shards are predicted.",
  FINISHING: "All shards are done: the manifest is written.",
  SUCCEEDED: "Every record has its place in the output.",
  FAILED: "It stopped. Finished parts stay.",
  CANCELLED: "It was stopped. Finished parts stay.",
};

function Actions({ job, ask }) {
  const stuck = isOpen(job) && Date.now() - Date.parse(job.updated_at) > LONG;
  return html`${can("jobs") && (job.status === "FAILED" || stuck) && html`<button type="button" onClick=${() => ask("retry")}>Retry</button>`}
    ${CANCELLABLE.includes(job.status) && html`<button type="button" class="danger" onClick=${() => ask("cancel")}>Cancel</button>`}`;
}
