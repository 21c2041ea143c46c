// Who changed what of a model, newest first.
import { html, useState } from "../../lib.js";
import { pageOf } from "../../api.js";
import { Choice } from "../../inputs.js";
import { usePages } from "../../resource.js";
import { Loaded, More, Table, Time } from "../../ui.js";
import { Difference, KINDS, subject } from "./words.js";

const PAGE = 20;

export function History({ model }) {
  const [kind, setKind] = useState("");
  const read = (signal, token) => pageOf("model_history", { model: model.name }, "entries", { query: { limit: PAGE, kind }, token, signal });
  const found = usePages(read, [model.name, kind], { again: model.etag });
  const columns = [
    ["When", (entry) => html`<${Time} at=${entry.at} />`],
    ["What", (entry) => `${KINDS[entry.kind] ?? entry.kind} ${subject(entry)}`],
    ["Before → after", (entry) => html`<${Difference} entry=${entry} />`, "wide"],
    ["Who", (entry) => html`<span class="mono">${entry.actor}</span>`, "actor"],
  ];
  return html`<section aria-labelledby="history"><h2 id="history">History</h2>
    <div class="row"><${Choice} label="Kind" value=${kind} set=${setKind} options=${[["", "all"], ...Object.entries(KINDS)]} /></div>
    <${Loaded} from=${found}>${({ items, token }) => html`<${Table} caption="History" columns=${columns} rows=${items} keyOf=${(entry) => entry.revision}
      empty=${token ? "None among the newest entries." : "No such change."} />`}<//>
    <${More} from=${found} /></section>`;
}
