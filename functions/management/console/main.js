// The frame around the pages: log-in, navigation, the page of the address.
import { html, render, useEffect, useErrorBoundary, useState } from "./lib.js";
import { place, to } from "./router.js";
import { auth, can, end, session } from "./session.js";
import { Problem, Told } from "./ui.js";
import { Login } from "./login.js";

const MENU = [["Models", "/", "models:read"], ["Jobs", "/jobs", "jobs"], ["Keys", "/keys", "keys"]];
const loaded = new Map(); // page → its module's default export

function Shell() {
  const { page, path } = place.value;
  const part = path.startsWith("/jobs") ? "/jobs" : path.startsWith("/keys") ? "/keys" : "/";
  return html`<a class="skip" href="#main" onClick=${skip}>Skip to content</a>
    <nav class="top" aria-label="Main"><a class="brand" href=${to("/")}>MaaS</a>
      ${MENU.filter(([, , scope]) => can(scope)).map(([name, target]) => html`<a key=${target} href=${to(target)} aria-current=${target === part ? "page" : undefined}>${name}</a>`)}
      <span class="who" title=${`Scopes: ${session.value.scopes.join(", ") || "none"}`}>${session.value.actor}</span>
      <button type="button" class="small" onClick=${() => end()}>Log out</button></nav>
    <main id="main" tabindex="-1">${page ? html`<${Module} page=${page} />` : html`<h1>No such page</h1><p><a href=${to("/")}>All models</a></p>`}</main>`;
}

function Module({ page }) {
  const [state, setState] = useState({});
  const [broken, forget] = useErrorBoundary((error) => console.error(error));
  const { params, query, path } = place.value;
  useEffect(() => {
    if (loaded.has(page)) return;
    import(`./pages/${page}.js`).then(
      (module) => { loaded.set(page, module.default); setState({}); },
      () => setState({ page, error: new Error("This page was not found: the console was probably updated. Reload it") }),
    );
  }, [page]);
  useEffect(() => { if (broken) forget(); }, [path]);
  const Shown = loaded.get(page);
  useEffect(() => { document.querySelector("main h1")?.focus({ preventScroll: true }); scrollTo(0, 0); }, [path, Shown]);
  if (broken) return html`<${Problem} error=${new Error(`This page could not be drawn: ${broken.message ?? broken}`)} retry=${forget} />`;
  if (state.page === page) return html`<${Problem} error=${state.error} retry=${() => location.reload()} />`;
  return Shown ? html`<${Shown} key=${path} ...${params} query=${query} />` : html`<div class="bones" role="status" aria-label="Loading"><span /><span /><span /></div>`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function App() {
  return html`${session.value ? html`<${Shell} />` : html`<${Login} auth=${auth} />`}<${Told} />`;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
