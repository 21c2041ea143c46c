// Where the time of a request went: the stages that the answer tells (Server-Timing), and the way there and back.
import { html } from "../../lib.js";
import { colorOf } from "../../charts.js";
import { ms } from "../../format.js";

const SAID = {
  queue: "resolve and read", load: "get the model", compute_input: "check inputs", compute_infer: "run", compute_output: "write outputs",
};

export default function Timing({ result, about }) {
  const stages = stagesOf(result.timing);
  const within = stages.reduce((sum, [, duration]) => sum + duration, 0);
  const parts = [...stages.map(([name, duration]) => [SAID[name] ?? name, duration]), ["way there and back", Math.max(0, result.elapsed - within)]];
  const measured = !stages.length && about.profile ? `; a run alone took ${ms(about.profile.run_ms)} when the version was measured` : "";
  return html`<h2>Time</h2>
    <p>${ms(result.elapsed)} in all, as seen here${measured}.</p>
    ${stages.length > 0 && html`<div class="split" role="img" aria-label=${parts.map(([name, duration]) => `${name}: ${ms(duration)}`).join(", ")}>
        ${parts.map(([name, duration], place) => html`<span key=${name} class=${colorOf(place + 1)} style=${{ flexGrow: duration }}
          title=${`${name}: ${ms(duration)}`} />`)}</div>
      <ul class="legend">${parts.map(([name, duration], place) => html`<li key=${name}><span class=${`dot ${colorOf(place + 1)}`} /> ${name} <b>
        ${ms(duration)}</b></li>`)}</ul>`}`;
}

// [[name, milliseconds]] of a header such as "queue;dur=0.1, compute_infer;dur=2.5".
function stagesOf(header) {
  return (header ?? "").split(",").map((one) => /^\s*([\w-]+);dur=([\d.]+)/.exec(one)).filter(Boolean).map(([, name, duration]) => [name, Number(duration)]);
}
