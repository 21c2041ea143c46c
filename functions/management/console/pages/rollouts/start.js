// Starts a rollout: the plan with the API's own defaults.
import { html, useMemo, useState } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm, Field, tell } from "../../ui.js";

const PLAN = { steps: "5, 25, 50, 100", minutes: "10", errors: "", p95: "", mismatch: "", least: "100", breach: "rollback", notify: "" };

// aliases: [{name, version}] that lead to one version, versions: numbers that are READY, newest first.
export function StartRollout({ model, aliases, versions, query, onDone, onClose }) {
  const alias = aliases.find(({ name }) => name === query.alias) ?? aliases.find(({ name }) => name === "production") ?? aliases[0];
  const [plan, setPlan] = useState({ ...PLAN, alias: alias.name, version: query.version ?? String(versions.find((one) => one !== alias.version) ?? "") });
  const edit = (name) => (event) => setPlan({ ...plan, [name]: event.target.value });
  const input = (name, more) => (id, about) => html`<input id=${id} aria-describedby=${about} value=${plan[name]} autocomplete="off" onInput=${edit(name)} ...${more} />`;
  const share = { type: "number", min: 0.001, max: 99.999, step: "any" };
  const stable = aliases.find(({ name }) => name === plan.alias).version;
  const steps = useMemo(() => plan.steps.split(/[\s,%]+/).filter(Boolean).map(Number), [plan.steps]);
  const start = async () => {
    await call("start_rollout", { model }, { body: bodyOf(plan, steps) });
    tell(`The rollout of ${plan.alias} has begun.`);
    onDone();
  };
  return html`<${Confirm} title="Start a rollout" action="Start" onConfirm=${start} onClose=${onClose}>
    <${Field} label="Alias" hint="One that leads to one version, and has no open rollout.">${(id, about) => html`<select id=${id} aria-describedby=${about} value=${plan.alias} onChange=${edit("alias")}>
      ${aliases.map((one) => html`<option value=${one.name}>${one.name} (version ${one.version})</option>`)}</select>`}<//>
    <${Field} label="New version">${(id) => html`<select id=${id} required value=${plan.version} onChange=${edit("version")}>
      ${versions.map((one) => html`<option value=${one} disabled=${one === stable}>version ${one}${one === stable ? " (serves it now)" : ""}</option>`)}</select>`}<//>
    <${Field} label="Steps, in percent" hint="2 to 10, each more than the one before, the last 100.">${input("steps", { required: true, pattern: "\\s*\\d+(\\s*[,\\s]\\s*\\d+)+\\s*" })}<//>
    <${Field} label="Minutes a step" hint="0.05 to 1440. A step lasts longer if too few requests come.">${input("minutes", { type: "number", required: true, min: 0.05, max: 1440, step: "any" })}<//>
    <${Field} label="Requests of the canary a step, at least">${input("least", { type: "number", required: true, min: 1, step: 1 })}<//>
    <details><summary>Limits of the guard</summary><p class="hint">In any case the new version's errors and refusals are held against the stable one's.</p>
      <${Field} label="Errors (5xx), at most % of the requests">${input("errors", share)}<//>
      <${Field} label="Milliseconds that 95 % of the requests stay below">${input("p95", { type: "number", min: 0.25, max: 1_000_000, step: "any" })}<//>
      <${Field} label="Differing answers of the shadow, at most %" hint="Only if the new version is the alias's shadow: set that first.">${input("mismatch", share)}<//></details>
    <${Field} label="On a breach">${(id) => html`<select id=${id} value=${plan.breach} onChange=${edit("breach")}><option value="rollback">roll back to version ${stable}</option>
      <option value="pause">pause, with the shares as they are</option></select>`}<//>
    <${Field} label="Notify" hint="An https URL or the ARN of an SNS topic that is told of each step. May be empty.">${input("notify", { maxlength: 2000 })}<//>
    <p class="notice">${plan.alias} is version ${stable} now. Version ${plan.version} gets ${steps[0]} % of its requests at once${steps.length > 1 && `, then ${steps.slice(1).join(" %, ")} %`}, as long as
      no guard is breached. Until it ends, only the rollout moves the alias.</p><//>`;
}

function bodyOf(plan, steps) {
  const number = (text, of = 1) => (text === "" ? undefined : Number((Number(text) / of).toPrecision(12)));
  return {
    alias: plan.alias,
    version: Number(plan.version),
    steps,
    minutes_per_step: number(plan.minutes),
    guards: { error_rate: number(plan.errors, 100), p95_ms: number(plan.p95), shadow_mismatch: number(plan.mismatch, 100), min_requests: number(plan.least) },
    on_breach: plan.breach,
    notify: plan.notify.trim() || undefined,
  };
}
