// Rows pasted from a spreadsheet: tabs, commas or semicolons between the columns.
import { html, useMemo, useState } from "../../lib.js";
import { isText } from "./datatypes.js";
import { FileInput } from "./file-input.js";
import { FieldError } from "./request.js";
import { tokenFor } from "./values.js";

const SHOWN = 5; // rows of the preview
const VALUE = /^([+-]?\.?\d|true$|false$|[+-]?(nan|inf(inity)?)$)/i; // how numbers and booleans begin, or are

export function Sheet({ tensor, provide }) {
  const { name, datatype, shape } = tensor;
  const [text, setText] = useState("");
  const { rows, names } = useMemo(() => rowsOf(text, datatype), [text, datatype]);
  provide(() => {
    if (!rows.length) throw new FieldError(name, "Paste at least one row.");
    const width = shape[1] === -1 ? rows[0].length : shape[1];
    const wrong = rows.findIndex((row) => row.length !== width);
    if (wrong >= 0) throw new FieldError(name, `Row ${wrong + 1} has ${rows[wrong].length} values, expected ${width}.`);
    return { shape: [rows.length, width], tokens: rows.flatMap((row, at) => row.map((cell, column) => cellToken(name, datatype, cell, at, column))) };
  });
  const left = names ? `; the first line is left out, since it has names: ${names.slice(0, SHOWN).join(", ")}` : "";
  return html`<label>Rows, pasted from a spreadsheet or as CSV<textarea rows="6" value=${text} onInput=${(event) => setText(event.target.value)} /></label>
    <${FileInput} label="or a .csv file" accept=".csv,.tsv,.txt,text/csv" take=${async (file) => setText(await file.text())} />
    ${rows.length > 0 && html`<p class="hint">${rows.length} ${rows.length === 1 ? "row" : "rows"} of ${rows[0].length} values${left}.</p>
      <div class="scroll" role="region" aria-label="The first rows" tabindex="0"><table><tbody>${rows.slice(0, SHOWN).map((row, at) => html`<tr key=${at}>
        ${row.slice(0, 40).map((cell, column) => html`<td key=${column} class="number">${cell}</td>`)}</tr>`)}</tbody></table></div>`}`;
}

function cellToken(name, datatype, cell, row, column) {
  try {
    return tokenFor(name, datatype, cell);
  } catch (error) {
    throw new FieldError(name, `Row ${row + 1}, column ${column + 1}: ${error.message}`);
  }
}

// {rows, names}: names are those of a first line without any number, in a table of numbers.
function rowsOf(text, datatype) {
  const filled = text.replace(/\r\n?/g, "\n").split("\n").filter((line) => line.trim());
  const between = ["\t", ";", ","].find((one) => filled[0]?.includes(one)) ?? ",";
  const rows = filled.map((line) => cells(line, between));
  const named = !isText(datatype) && rows.length > 1 && !rows[0].some((cell) => VALUE.test(cell));
  return named ? { rows: rows.slice(1), names: rows[0] } : { rows };
}

// The cells of a line; one in quotes may hold the character between cells, and a quote as two.
function cells(line, between) {
  const found = [];
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^${between}]*))(${between}|$)`, "g");
  for (const [, inQuotes, plain, end] of line.matchAll(pattern)) {
    found.push(inQuotes === undefined ? plain.trim() : inQuotes.replaceAll('""', '"'));
    if (end === "") break;
  }
  return found;
}
