// An alias is created, or moved: to one version, or in shares to several.
import { html, useEffect, useState } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { useResource } from "../../resource.js";
import { Loaded } from "../../ui.js";
import { useAlias } from "./alias_ends.js";
import { Choice, Num, Text } from "../../inputs.js";
import { Moved, routesText, stickyText } from "./words.js";

const NAME = /^(?!\d+$)[a-z0-9][a-z0-9._-]{0,62}$/;
const MOST = 10; // routes of an alias
const FIRST_SHARE = 10; // percent that a second version is offered
const STICKY = [["none", "none: each at random"], ["caller", "those of a caller"], ["header", "those with one value of a header"]];
const HEADER = /^header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

export function Move({ model, alias, taken = [], changed, onClose }) {
  const { found, guarded, meanwhile } = useAlias(model.name, alias?.alias);
  const ready = useResource((signal) => call("list_versions", { model: model.name }, { signal, query: { status: "READY", limit: 100 } }), []);
  const [name, setName] = useState("");
  const [routes, setRoutes] = useState(alias?.routes ?? [{ version: model.latest_ready_version, weight: 100 }]);
  const [sticky, setSticky] = useState(alias?.sticky ?? "none");
  const [before, setBefore] = useState(alias);
  useEffect(() => { // what was not touched follows what is there now
    if (!found.data) return;
    if (same(routes, before.routes)) setRoutes(found.data.routes);
    if (sticky === before.sticky) setSticky(found.data.sticky);
    setBefore(found.data);
  }, [found.data]);
  const title = alias?.alias ?? name;
  const wrong = (!alias && nameProblem(name, taken)) || routesProblem(routes) || stickyProblem(sticky);
  const unchanged = before && same(routes, before.routes) && sticky === before.sticky;
  const save = () => guarded(async (ifMatch) => {
    const target = same(routes, before?.routes ?? []) ? {} : routes.length > 1 ? { routes } : { version: routes[0].version };
    const asked = { ...target, ...(sticky !== (before?.sticky ?? "none") ? { sticky } : {}) };
    const now = await call("put_alias", { model: model.name, alias: title }, { body: asked, ifMatch });
    changed(`${title} is ${routesText(now.routes)}.`);
  });
  const [heading, action] = alias ? [`Move ${alias.alias}`, "Move"] : ["New alias", "Create"];
  return html`<${Confirm} title=${heading} action=${action} disabled=${wrong || unchanged} onConfirm=${save} onClose=${onClose}>
    ${!alias && html`<${Text} label="Name" hint="Such as production, or default for requests without a version" value=${name} set=${setName} />`}
    <${Routes} routes=${routes} set=${setRoutes} ready=${ready.error ? [] : ready.data?.versions} />
    <${Sticky} value=${sticky} set=${setSticky} />
    <${Loaded} from=${found} rows=${1}>${() => !wrong && html`<p>${unchanged ? "Nothing is changed yet." : "This will change:"}</p>
      ${!unchanged && html`<${Moved} from=${before?.routes ?? []} to=${newestFirst(routes)} />`}
      ${before && sticky !== before.sticky && html`<p>From “${stickyText(before.sticky)}” to “${stickyText(sticky)}”.</p>`}`}<//>
    ${wrong && html`<p class="wrong" role="status">${wrong}</p>`}
    ${meanwhile}<//>`;
}

function Routes({ routes, set, ready }) {
  const put = (place, change) => {
    const next = routes.map((route, at) => (at === place ? { ...route, ...change } : route));
    if ("weight" in change && next.length === 2) next[1 - place] = { ...next[1 - place], weight: Math.max(0, 100 - change.weight) };
    set(next);
  };
  const remove = (place) => {
    const left = routes.filter((_, at) => at !== place);
    set(left.length === 1 ? [{ ...left[0], weight: 100 }] : left);
  };
  const sum = total(routes);
  const free = ready?.find((one) => !routes.some((route) => route.version === one.version))?.version ?? 0;
  const add = () => set(routes.length > 1
    ? [...routes, { version: free, weight: Math.max(0, 100 - sum) }]
    : [{ version: free, weight: FIRST_SHARE }, { ...routes[0], weight: 100 - FIRST_SHARE }]);
  return html`<fieldset><legend>Requests go to</legend>
    <datalist id="ready">${ready?.map((one) => html`<option key=${one.version} value=${one.version}>${one.description}</option>`)}</datalist>
    ${routes.map(({ version, weight }, place) => html`<div class="row pair" key=${place}>
      <${Num} label="Version" min="1" list="ready" value=${version} set=${(given) => put(place, { version: given })} />
      ${routes.length > 1 && html`
        <${Num} label="%" aria-label=${`Percent for version ${version}`} min="1" max="99" value=${weight}
          set=${(given) => put(place, { weight: given })} />
        <input type="range" min="0" max="100" aria-label=${`Share of version ${version}`} value=${weight}
          onInput=${({ target }) => put(place, { weight: target.valueAsNumber })} />
        <button type="button" class="small" aria-label=${`Remove version ${version}`} onClick=${() => remove(place)}>Remove</button>`}</div>`)}
    ${routes.length < MOST && html`<button type="button" class="small" disabled=${!ready} onClick=${add}>Add a version</button>`}
    ${routes.length > 1 && html` <output class=${sum === 100 ? "hint" : "wrong"}>Sum: ${sum} %</output>`}</fieldset>`;
}

function Sticky({ value, set }) {
  const kind = value.startsWith("header:") ? "header" : value;
  return html`<div class="row"><${Choice} label="Requests that stay together" value=${kind} options=${STICKY}
      set=${(name) => set(name === "header" ? "header:" : name)} />
    ${kind === "header" && html`<${Text} label="Header" placeholder="X-User" value=${value.slice("header:".length)}
      set=${(text) => set(`header:${text.trim()}`)} />`}</div>`;
}

const total = (routes) => routes.reduce((sum, route) => sum + route.weight, 0);
const newestFirst = (routes) => [...routes].sort((a, b) => b.version - a.version); // as the API has them
const text = (routes) => JSON.stringify(newestFirst(routes).map(({ version, weight }) => [version, weight]));
const same = (some, others) => text(some) === text(others);

function nameProblem(name, taken) {
  if (!NAME.test(name)) return "The name has lower-case letters, digits, dots, dashes or underscores, at most 63, and is no number.";
  return taken.includes(name) && `There is an alias ${name} already: move that one.`;
}

function routesProblem(routes) {
  const versions = routes.map((route) => route.version);
  if (versions.some((version) => !Number.isInteger(version) || version < 1)) return "Each route needs the number of a READY version.";
  if (new Set(versions).size < versions.length) return "A version has one share: it is there twice.";
  if (routes.some((route) => !Number.isInteger(route.weight) || route.weight < 1)) return "Each version needs at least 1 %: remove one that gets none.";
  const sum = total(routes);
  return sum !== 100 && `The shares sum to ${sum} %; they have to be 100 %.`;
}

const stickyProblem = (sticky) => sticky.startsWith("header:") && !HEADER.test(sticky) && "The header needs a name.";
