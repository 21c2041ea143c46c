// The forms of a version that a function loads: the file as pushed, those prepared for a CPU, the quantised one.
import { html } from "../../lib.js";
import { bytes, ms } from "../../format.js";
import { Table } from "../../ui.js";

export function Forms({ version }) {
  const { profile, quantized } = version;
  const rows = [
    ...(profile ? [{ form: "as pushed", size_bytes: profile.size_bytes, load_ms: profile.load_ms, run_ms: profile.run_ms }] : []),
    ...version.variants.map((one) => ({ ...one, form: `prepared for onnxruntime ${one.key}`, difference: one.max_difference })),
    ...(quantized ? [{ ...quantized, form: `quantised, ${quantized.scheme}` }] : []),
  ];
  const columns = [
    ["Form", (row) => row.form],
    ["Size", (row) => bytes(row.size_bytes), "number"],
    ["To load", (row) => ms(row.load_ms), "number"],
    ["A run", (row) => ms(row.run_ms), "number"],
    ["Measured loss", (row) => (row.difference == null ? "–" : row.difference === 0 ? "none" : row.difference.toPrecision(3)), "number"],
  ];
  const asked = JSON.stringify({ variant: quantized?.scheme });
  return html`<${Table} caption="Forms" columns=${columns} rows=${rows} keyOf=${(row) => row.form} />
    <p class="hint">Loss is the largest difference of an output from that of the file as pushed; of the quantised form, as a share of the largest output.</p>
    ${quantized && html`<p>${quantized.kept ? html`The quantised form was kept; requests use it if they ask for it: <code>"parameters": ${asked}</code>.`
      : `The quantised form was not kept: ${quantized.reason}`} Its tolerance was ${quantized.tolerance}.</p>`}`;
}
