// What is asked in a box above the page.
import { html, useEffect, useRef, useState } from "./lib.js";
import { sentence } from "./format.js";
import { Field, Problem, tell, useAction } from "./ui.js";

export function Dialog({ title, onClose, children }) {
  const box = useRef();
  useEffect(() => {
    const [shown, before] = [box.current, document.activeElement];
    shown.showModal();
    return () => { // the focus goes back to what opened it, unless that goes with it
      shown.close();
      queueMicrotask(() => (before?.isConnected ? before : document.getElementById("main"))?.focus());
    };
  }, []);
  return html`<dialog ref=${box} aria-label=${title} onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    <h2>${title}</h2>${children}</dialog>`;
}

// Says what will change, and does it. With `type`, that text has to be typed first; while `disabled`, there is nothing to do.
export function Confirm({ title, action, danger, type, disabled, onConfirm, onClose, children }) {
  const [typed, setTyped] = useState("");
  const isOpen = useRef(true);
  useEffect(() => () => (isOpen.current = false), []);
  const { run, busy, error } = useAction(async () => {
    try {
      await onConfirm();
    } catch (error) {
      if (!isOpen.current) tell(`${title} It failed: ${sentence(error.message)}`);
      throw error;
    }
    if (isOpen.current) onClose(); // else another dialog may be open by now
  });
  return html`<${Dialog} title=${title} onClose=${onClose}><form onSubmit=${run}>${children}
    ${type && html`<${Field} label=${`Type ${type} to confirm`}>${(id) => html`<input id=${id} value=${typed} autocomplete="off" onInput=${(event) => setTyped(event.target.value)} />`}<//>`}
    ${error && html`<${Problem} error=${error} />`}
    <div class="actions"><button type="button" onClick=${onClose}>Cancel</button>
      <button type="submit" class=${danger ? "danger" : "primary"} disabled=${busy || disabled || (type && typed !== type)}>${busy ? "Working…" : action}</button></div></form><//>`;
}
