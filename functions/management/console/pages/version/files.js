// The files of a version: digests to copy, and downloads, whose addresses are asked for when one is wanted.
import { html } from "../../lib.js";
import { call } from "../../api.js";
import { bytes } from "../../format.js";
import { Copy, Digest, Problem, Table, useAction } from "../../ui.js";

export function Files({ version }) {
  const { run, busy, error } = useAction(async (name) => {
    const { files } = await call("version_files", { model: version.model, number: version.version });
    const link = document.createElement("a");
    Object.assign(link, { href: files.find((file) => file.name === name).url, target: "_blank", rel: "noreferrer" }); // of another origin: `download` is ignored
    link.click();
  });
  const columns = [
    ["Name", (file) => html`<span class="mono">${file.name}</span>`, "wide"],
    ["Size", (file) => bytes(file.size_bytes), "number"],
    ["SHA-256", (file) => html`<${Digest} of=${file.sha256} /> <${Copy} text=${file.sha256} what=${`the SHA-256 of ${file.name}`} />`],
    ["Content", (file) => !version.deleted_at && html`<button type="button" class="small" disabled=${busy} onClick=${() => run(file.name)}>Download<span
      class="hidden"> ${file.name}</span></button>`],
  ];
  return html`${error && html`<${Problem} error=${error} />`}
    <${Table} caption="Files" columns=${columns} rows=${version.files} keyOf=${(file) => file.name} empty="It has no files." />`;
}
