// What was live at any moment: asked from the API for each alias.
import { html, useEffect, useState } from "../../lib.js";
import { call } from "../../api.js";
import { SplitBar } from "../../charts.js";
import { clock } from "../../format.js";
import { useResource } from "../../resource.js";
import { Field, Loaded, Table } from "../../ui.js";
import { routesText } from "./words.js";

// `picked`: ms of a moment that was pointed at.
export function Moment({ model, names, picked }) {
  const [typed, setTyped] = useState(local(Date.now()));
  const [asked, setAsked] = useState(null);
  useEffect(() => {
    if (!picked) return;
    setTyped(local(picked));
    setAsked(picked);
  }, [picked]);
  const ask = (event) => {
    event.preventDefault();
    setAsked(new Date(typed).getTime());
  };
  return html`<form class="row" onSubmit=${ask}>
      <${Field} label="What was live at">${(id) => html`
        <input id=${id} type="datetime-local" step="1" required value=${typed} onInput=${({ target }) => setTyped(target.value)} />`}<//>
      <button type="submit">Show</button></form>
    ${asked && html`<${Then} model=${model} names=${names} at=${asked} />`}`;
}

function Then({ model, names, at }) {
  const time = new Date(at).toISOString();
  const read = (signal) => Promise.all(names.map((alias) => call("get_alias", { model, alias }, { signal, query: { at: time } })));
  const found = useResource(read, [model, names.join(), time]);
  const columns = [
    ["Alias", (then) => then.alias],
    ["Led to", (then) => then.routes.length > 0 && html`<${SplitBar} routes=${then.routes} label=${then.alias} />`, "wide"],
    ["Shares", (then) => (then.routes.length ? routesText(then.routes) : html`<span class="hint">was not there</span>`)],
  ];
  return html`<${Loaded} from=${found} rows=${2}>${(then) => html`
    <${Table} caption=${`Live at ${clock(at)}`} columns=${columns} rows=${then} keyOf=${(one) => one.alias} empty="No alias." />
    <p class="hint">At ${clock(at)}, in the time zone of this browser.</p>`}<//>`;
}

// As datetime-local takes it.
function local(at) {
  const time = new Date(at);
  return new Date(at - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
