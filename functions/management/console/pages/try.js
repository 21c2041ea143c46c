// Try a version: a form made from its signature or its task, the answer drawn as fits it, its time, and the same request to copy.
import { html, useRef, useState } from "../lib.js";
import { all, call, send, textOf } from "../api.js";
import { Choice as Select } from "../inputs.js";
import { useResource } from "../resource.js";
import { go, modelPath, to } from "../router.js";
import { can } from "../session.js";
import { Empty, Field, Loaded, Page, Problem, useAction } from "../ui.js";
import { Part } from "./try/part.js";
import { built, fieldOf, parsed, read } from "./try/request.js";

const TEXTS = ["embeddings", "rerank", "text-classification", "zero-shot-classification", "fill-mask", "token-classification"];
const VIEWS = {
  embeddings: "similar", "image-embeddings": "similar", rerank: "ranked", "token-classification": "spans",
  "text-classification": "classes", "zero-shot-classification": "classes", "fill-mask": "classes", "image-classification": "classes",
};

export default function Try({ model, query }) {
  const version = query.version ?? "";
  const about = useResource((signal) => describe(model, version, signal), [model, version]);
  const last = useRef(); // what was typed and drawn stays when another version of the same signature is chosen
  if (about.data) last.current = about.data;
  const shown = about.data ?? (about.loading ? last.current : undefined);
  return html`<${Page} title=${`Try ${model}`} crumbs=${[["Models", to("/")], [model, to(modelPath(model))]]}>
    <${Choice} model=${model} version=${version} answers=${about.data?.number} />
    <${Loaded} from=${{ ...about, data: shown }} rows=${6}>${(found) => (can("infer", model)
      ? html`<${Trial} key=${JSON.stringify([found.inputs, found.task?.name, found.quantized?.kept && found.quantized.scheme])} about=${found} />`
      : html`<${Empty}>This key may not run the model: it has neither the scope infer nor infer:${model}.<//>`)}<//><//>`;
}

// What is known of the version that the reference leads to: a key that may only infer sees no task and no profile.
async function describe(model, version, signal) {
  const path = `/v2/models/${encodeURIComponent(model)}${version ? `/versions/${encodeURIComponent(version)}` : ""}`;
  const { inputs, outputs, versions } = JSON.parse(textOf(await send("GET", path, { signal })));
  const number = Number(versions[0]);
  const known = can("models:read") ? await call("get_version", { model, number }, { signal, parse: parsed }) : {};
  return { model, version, number, inputs, outputs, task: known.task, profile: known.profile, quantized: known.quantized, files: known.files };
}

function Choice({ model, version, answers }) {
  const known = useResource(async (signal) => {
    if (!can("models:read")) return null;
    const listed = all("list_versions", { model }, "versions", { signal, query: { status: "READY" } });
    const [owner, versions] = await Promise.all([call("get_model", { model }, { signal }), listed]);
    return { aliases: Object.keys(owner.aliases), numbers: versions.items.map((one) => String(one.version)) };
  }, [model]);
  const set = (chosen) => go(modelPath(model, "/try"), { version: chosen });
  const number = /^\d+$/.test(version);
  const hint = answers && !number ? `It describes version ${answers}; an alias that is shared may answer with another.` : undefined;
  const label = "Version or alias";
  if (!known.data) {
    return html`<${Field} label=${label} hint=${hint}>${(id, described) => html`<input id=${id} aria-describedby=${described} value=${version}
      placeholder="as requests without a version" onChange=${(event) => set(event.target.value)} />`}<//>`;
  }
  const numbers = [...new Set([...known.data.numbers, ...(number ? [version] : [])])];
  const options = [["", "as requests without a version"], ...known.data.aliases.map((one) => [one, one]), ...numbers.map((one) => [one, `version ${one}`])];
  return html`<${Select} label=${label} hint=${hint} value=${version} set=${set} options=${options} />`;
}

function Trial({ about }) {
  const { task } = about;
  const ways = [
    ...(task ? [["task", `as its task, ${task.name}`]] : []),
    ["raw", task ? "the graph's own tensors" : "a form of its inputs"],
    ["document", "a whole request in JSON"],
  ];
  const [way, setWay] = useState(ways[0][0]);
  const [result, setResult] = useState(null);
  const collect = useRef(); // the form's function that gives its request, or throws a FieldError
  const inputs = way === "raw" && task ? task.raw_inputs : about.inputs;
  const form = way === "task" ? (TEXTS.includes(task.name) ? "texts" : "images") : way;
  const { run, busy, error } = useAction(async () => {
    setResult(null);
    const request = await collect.current?.(); // a form that still loads has none
    if (!request) return;
    const options = { ...request.parameters, task: way === "raw" && task ? "raw" : undefined };
    request.parameters = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    setResult({ ...await asked(request, about), about, view: way === "task" ? VIEWS[task.name] : "outputs" });
  });
  const choose = (name) => {
    collect.current = null;
    setWay(name);
    setResult(null);
  };
  const field = way === "document" ? "" : fieldOf(error, inputs);
  const wrong = (name) => (field && field === name ? error.message : undefined);
  return html`<form onSubmit=${run} novalidate>
      ${ways.length > 1 && html`<fieldset><legend>Ask with</legend><div class="row">${ways.map(([name, label]) => html`<label key=${name}>
        <input type="radio" name="way" checked=${way === name} onChange=${() => choose(name)} /> ${label}</label>`)}</div></fieldset>`}
      <${Part} key=${way} name=${form} about=${about} inputs=${inputs} collect=${collect} wrong=${wrong} />
      ${error && !field && html`<${Problem} error=${error} />`}
      ${error && field && html`<p class="wrong" role="alert">The request was not answered: see ${field}.</p>`}
      <div class="actions"><button type="submit" class="primary" disabled=${busy}>${busy ? "Asking…" : "Ask"}</button></div>
    </form>
    <div aria-live="polite">${result && html`<${Result} result=${result} />`}</div>`;
}

async function asked(request, about) {
  const ready = built(request, about.model, about.version);
  const start = performance.now();
  const response = await send("POST", ready.path, { headers: { ...ready.headers, prefer: "server-timing" }, body: ready.body });
  const elapsed = performance.now() - start;
  return { request, ready, answer: read(response), elapsed, version: response.headers.get("maas-version"), timing: response.headers.get("server-timing") };
}

// Of the version that was asked and the way it was: another may be chosen before the answer comes.
function Result({ result }) {
  const { about, view } = result;
  const link = to(modelPath(about.model, `/versions/${result.version}`));
  return html`<h2>Answer${result.version ? html` of <a href=${link}>version ${result.version}</a>` : ""}</h2>
    <${Part} key=${view} name=${view} result=${result} about=${about} />
    <${Part} name="timing" result=${result} about=${about} />
    <${Part} name="commands" result=${result} about=${about} />`;
}
