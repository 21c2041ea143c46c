// The steps of a rollout as a bar each, the current one as full as its time has gone.
import { html } from "../../lib.js";
import { Bar } from "../../charts.js";
import { count, span } from "../../format.js";

export const isOpen = (rollout) => ["RUNNING", "PAUSED"].includes(rollout.status);

export function Steps({ rollout }) {
  const { steps, weight, status } = rollout;
  const current = steps.indexOf(weight);
  return html`<ol class="steps">${steps.map((step, place) => {
    const isCurrent = place === current && status !== "SUCCEEDED";
    const isDone = place < current || status === "SUCCEEDED";
    const share = isDone ? 1 : isCurrent ? gone(rollout) : 0;
    const tone = isDone ? "good" : isCurrent && !isOpen(rollout) ? "bad" : "";
    const said = isDone ? "done" : isCurrent ? saidOf(rollout) : isOpen(rollout) ? "to come" : "not reached";
    return html`<li key=${step} aria-current=${isCurrent ? "step" : undefined}><${Bar} share=${share} tone=${tone} label=${`step of ${step} %: ${said}`} />
      <strong>${step} %</strong> <span class="hint">${said}</span></li>`;
  })}</ol>`;
}

// Of the step's requests that its guard waits for.
export function Waiting({ rollout }) {
  const came = rollout.decision?.figures.step_requests ?? 0;
  const wanted = rollout.guards.min_requests;
  return html`<div class="row"><span>Requests of the canary in this step: ${count(came)} of at least ${count(wanted)}</span>
    <span class="waiting"><${Bar} share=${came / wanted} tone=${came >= wanted ? "good" : ""} label=${`${came} of ${wanted} requests`} /></span></div>`;
}

const secondsLeft = (rollout) => rollout.minutes_per_step * 60 - (Date.now() - Date.parse(rollout.step_started_at)) / 1000;

function gone(rollout) {
  if (!isOpen(rollout)) return 1;
  return Math.min(1, Math.max(0, 1 - secondsLeft(rollout) / (rollout.minutes_per_step * 60)));
}

function saidOf(rollout) {
  if (rollout.status === "PAUSED") return rollout.breached ? "paused here by a breach" : "paused here";
  if (rollout.status === "ROLLED_BACK") return "rolled back here";
  if (rollout.status === "ABORTED") return "aborted here";
  const left = secondsLeft(rollout);
  return left > 0 ? `${span(left)} left at least` : "its time is over; the next look decides";
}
