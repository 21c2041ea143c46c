// The figures of a job: progress, speed, cost, and how its shadow does.
import { html } from "../../lib.js";
import { clock, count, percent, span, usd } from "../../format.js";
import { modelPath, to } from "../../router.js";
import { Card, Time } from "../../ui.js";
import { isOpen, took } from "../jobs/progress.js";

export function Figures({ job }) {
  const { progress } = job;
  if (!progress) return null;
  const { shards_total: total, shards_done: done, shards_failed: failed, rows, errors, rows_per_second: speed, eta_seconds: left } = progress;
  return html`<div class="cards">
    <${Card} title="Rows" value=${count(rows)} more=${speed != null && `${count(Math.round(speed))} a second`} />
    <${Card} title="Errors" value=${html`<span class=${errors ? "wrong" : ""}>${count(errors)}</span>`}
      more=${rows > 0 && errors > 0 && percent(errors / rows)} />
    <${Card} title="Shards" value=${`${count(done)} of ${count(total)}`} more=${failed > 0 && html`<span class="wrong">${count(failed)} failed</span>`} />
    <${Card} title=${isOpen(job) ? "Time left" : "Took"} value=${isOpen(job) ? span(left) : span(took(job))} />
    <${Card} title="Cost of Lambda" value=${usd(progress.usd)} more=${`${count(progress.gb_seconds)} GB-seconds`} /></div>`;
}

export function Shadow({ job }) {
  if (!job.shadow) return null;
  const found = job.progress?.shadow;
  const version = html`<a href=${to(modelPath(job.model, `/versions/${job.shadow.version}`))}>version ${job.shadow.version}</a>`;
  if (!found?.compared) return html`<h2>Shadow</h2><p>The records run on ${version} too. Nothing is compared yet.</p>`;
  const most = found.largest_difference == null ? "an output had no counterpart" : `the largest difference is ${found.largest_difference} at most`;
  return html`<h2>Shadow</h2>
    <p>The records run on ${version} too, compared by ${compareText(job.shadow.compare)}. Of ${count(found.compared)} records,${" "}
      ${count(found.mismatched)} (${percent(found.mismatched / found.compared)}) are not the same${found.mismatched > 0 && `: ${most}`}.${" "}
      ${count(found.failed)} failed${found.reason && `, one because: ${found.reason}`}.</p>`;
}

const COMPARED = { top1: "the place of the largest value", none: "nothing" };
const compareText = (how) => COMPARED[how] ?? `rtol ${how.rtol} and atol ${how.atol}`;

export function About({ job }) {
  const options = Object.entries(job.options);
  const version = html`<a href=${to(modelPath(job.model, `/versions/${job.version}`))}>version ${job.version}</a>`;
  const rows = [
    ["Model", html`<a href=${to(modelPath(job.model))}>${job.model}</a>, ${version}`],
    ["Kind", job.kind === "infer" ? "one request, answered later" : "batch of records"],
    ["Input", html`<span class="mono">${job.input}</span>`],
    ["Output", html`<span class="mono">${job.output}</span>`],
    ["Options", options.length > 0 && options.map(([name, value]) => html`<div class="mono">${name}=${JSON.stringify(value)}</div>`)],
    ["Notifies", job.notify],
    ["Created", html`<${Time} at=${job.created_at} /> by ${job.actor}`],
    ["Started", job.started_at && clock(job.started_at)],
    [isOpen(job) ? "Changed" : "Ended", clock(job.updated_at)],
  ];
  const known = rows.filter(([, value]) => value);
  return html`<h2>About the job</h2><dl class="facts">${known.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
