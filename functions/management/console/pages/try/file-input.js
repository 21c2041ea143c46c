// A file to choose. take(file) may reject, which is told below; clear() is called when the choice is taken back.
import { html, useState } from "../../lib.js";

export function FileInput({ label, accept, take, clear }) {
  const [error, setError] = useState("");
  const choose = async ({ target }) => {
    const [file] = target.files;
    setError("");
    if (!file) return clear?.();
    try {
      await take(file);
    } catch (failed) {
      setError(failed.message);
    }
  };
  return html`<label>${label} <input type="file" accept=${accept} onChange=${choose} /></label>
    ${error && html`<p class="wrong" role="alert">${error}</p>`}`;
}
