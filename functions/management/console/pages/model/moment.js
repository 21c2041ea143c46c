// What was live at any moment: asked from the API for each alias.
import { html, useEffect, useState } from "../../lib.js";
import { call } from "../../api.js";
import { SplitBar } from "../../charts.js";
import { clock, localText } from "../../format.js";
import { Text } from "../../inputs.js";
import { useResource } from "../../resource.js";
import { Loaded, Table } from "../../ui.js";
import { entriesSince, routesBefore } from "./lanes.js";
import { routesText } from "./words.js";

// `names`: of the aliases that are there now; `picked`: ms of a moment that was pointed at.
export function Moment({ model, names, picked }) {
  const [typed, setTyped] = useState(localText(Date.now()));
  const [asked, setAsked] = useState(null);
  useEffect(() => {
    if (!picked) return;
    setTyped(localText(picked));
    setAsked(picked);
  }, [picked]);
  const ask = (event) => {
    event.preventDefault();
    setAsked(new Date(typed).getTime());
  };
  return html`<form class="row" onSubmit=${ask}>
      <${Text} label="What was live at" type="datetime-local" step="1" required value=${typed} set=${setTyped} />
      <button type="submit">Show</button></form>
    ${asked && html`<${Then} model=${model} names=${names} at=${asked} />`}`;
}

function Then({ model, names, at }) {
  const time = new Date(at).toISOString();
  const read = async (signal) => {
    const { entries, isCut } = await entriesSince(model, at, signal);
    const changed = Object.fromEntries(entries.flatMap(routesBefore)); // the oldest entry of each alias says where it led at the time
    const gone = Object.keys(changed).filter((name) => changed[name].length);
    const asked = [...new Set([...names, ...gone])].sort();
    const then = await Promise.all(asked.map((alias) => call("get_alias", { model, alias }, { signal, query: { at: time } })));
    return { then, isCut };
  };
  const found = useResource(read, [model, names.join(), time]);
  const columns = [
    ["Alias", (then) => then.alias],
    ["Led to", (then) => then.routes.length > 0 && html`<${SplitBar} routes=${then.routes} label=${then.alias} />`, "wide"],
    ["Shares", (then) => (then.routes.length ? routesText(then.routes) : html`<span class="hint">was not there</span>`)],
  ];
  return html`<${Loaded} from=${found} rows=${2}>${({ then, isCut }) => html`
    <${Table} caption=${`Live at ${clock(at)}`} columns=${columns} rows=${then} keyOf=${(one) => one.alias} empty="No alias." />
    <p class="hint">At ${clock(at)}, in the time zone of this browser.
      ${isCut && "There were too many changes since: an alias that was deleted meanwhile may be missing."}</p>`}<//>`;
}
