// A part of the page that loads when it is first shown: <Part name="raw" …props /> is the default export of ./raw.js.
import { html, useEffect, useState } from "../../lib.js";
import { Problem } from "../../ui.js";

const loaded = new Map();

export function Part({ name, ...props }) {
  const [state, setState] = useState({});
  useEffect(() => {
    if (loaded.has(name)) return;
    import(`./${name}.js`).then(
      (module) => { loaded.set(name, module.default); setState({}); },
      () => setState({ error: new Error("This part was not found: the console was probably updated. Reload it") }),
    );
  }, [name]);
  const Shown = loaded.get(name);
  if (Shown) return html`<${Shown} ...${props} />`;
  if (state.error) return html`<${Problem} error=${state.error} retry=${() => location.reload()} />`;
  return html`<div class="bones" role="status" aria-label="Loading"><span /><span /></div>`;
}
