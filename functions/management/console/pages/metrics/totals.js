// The sums of the time that is shown: as cards, by series, and the reasons of errors.
import { html } from "../../lib.js";
import { bytes, count, ms, percent, usd } from "../../format.js";
import { Card, Table } from "../../ui.js";
import { nameOf } from "./series.js";

export function Cards({ metrics: { total, cost } }) {
  const share = (part) => total.requests > 0 && part > 0 && percent(part / total.requests);
  const why = Object.keys(total.reasons).length > 0 && html`<a href="#reasons" onClick=${showReasons}>reasons</a>`;
  const { shadow } = total;
  return html`<div class="cards">
    <${Card} title="Requests" value=${count(total.requests)} more=${total.rows > 0 && `${count(total.rows)} rows`} />
    <${Card} title="Errors (5xx)" value=${html`<span class=${total.errors ? "wrong" : ""}>${count(total.errors)}</span>`}
      more=${total.errors > 0 && html`${share(total.errors)} ${why}`} />
    <${Card} title="Refused (4xx)" value=${count(total.refused)} more=${total.refused > 0 && html`${share(total.refused)} ${why}`} />
    <${Card} title="p50" value=${ms(total.p50_ms)} more=${total.mean_ms != null && `mean ${ms(total.mean_ms)}`} />
    <${Card} title="p95" value=${ms(total.p95_ms)} /><${Card} title="p99" value=${ms(total.p99_ms)} />
    <${Card} title="Cold loads" value=${count(total.cold_loads)} more=${share(total.cold_loads)} />
    <${Card} title="Compute time" value=${ms(total.compute_ms)} more=${total.requests > 0 && `${ms(total.compute_ms / total.requests)} a request`} />
    <${Card} title="Bytes in, out" value=${bytes(total.bytes_in)} more=${`${bytes(total.bytes_out)} out`} />
    ${total.records > 0 && html`<${Card} title="Records of jobs" value=${count(total.records)}
      more=${total.record_errors > 0 && `${count(total.record_errors)} bad`} />`}
    ${shadow?.compared > 0 && html`<${Card} title="Shadow: different" value=${percent(shadow.mismatched / shadow.compared)}
      more=${`${count(shadow.mismatched)} of ${count(shadow.compared)}`} />`}
    <${Card} title="Cost of Lambda" value=${cost ? usd(cost.usd + cost.records_usd) : "–"}
      more=${cost?.usd_per_1000_requests != null && `${usd(cost.usd_per_1000_requests)} for 1,000 requests`} /></div>`;
}

// The address after # is the page, so that a link inside it needs a hand.
function showReasons(event) {
  event.preventDefault();
  document.getElementById("reasons").focus();
}

export function BySeries({ metrics }) {
  const { series, prices, by, percentile_error: error } = metrics;
  const number = (title, cell) => [title, cell, "number"];
  const hasRecords = series.some(({ total }) => total.records > 0);
  const hasShadow = series.some(({ total }) => total.shadow?.compared > 0);
  const columns = [
    [by === "version" ? "Version" : "Alias", nameOf],
    number("Requests", ({ total }) => count(total.requests)),
    number("Errors", ({ total }) => count(total.errors)),
    number("Refused", ({ total }) => count(total.refused)),
    ...["p50", "p95", "p99"].map((name) => number(name, ({ total }) => ms(total[`${name}_ms`]))),
    number("GB-seconds", ({ cost }) => count(cost?.gb_seconds)),
    number("Cost", ({ cost }) => usd(cost?.usd)),
    number("of 1,000", ({ cost }) => usd(cost?.usd_per_1000_requests)),
    ...(hasRecords ? [
      number("Records", ({ total }) => count(total.records)),
      number("their cost", ({ cost }) => usd(cost?.records_usd)),
      number("of 1,000", ({ cost }) => usd(cost?.usd_per_1000_records)),
    ] : []),
    ...(hasShadow ? [number("Shadow differs by", ({ total }) => total.shadow?.largest_difference ?? "–")] : []),
  ];
  return html`<h2>By ${by}</h2><${Table} caption=${`Sums by ${by}`} columns=${columns} rows=${series} keyOf=${nameOf} />
    <p class="hint">${by === "alias" && "No alias: requests by a version's number, and batch jobs. "}Percentiles are within ${percent(error)} of
      the exact ones. <${Prices} prices=${prices} /></p>`;
}

function Prices({ prices }) {
  if (!prices) return "Costs are not known: this region has no list of prices.";
  const source = prices.priced_on ? `list prices of ${prices.priced_on}` : "prices of this installation's parameters";
  return html`Costs are what Lambda charges in ${prices.region}: $${prices.usd_per_gb_second} for a GB-second, $${prices.usd_per_million_requests} for a
    million requests (${source}). API Gateway, DynamoDB, S3 and logs are not in it.`;
}

export function Reasons({ metrics: { series, total } }) {
  const rows = Object.entries(total.reasons).sort(([, one], [, other]) => other - one);
  if (!rows.length) return null;
  const columns = [["Reason", ([name]) => html`<code>${name}</code>`], ["Requests", ([, of]) => count(of), "number"],
    ...series.map((one) => [nameOf(one), ([name]) => count(one.total.reasons[name] ?? 0), "number"])];
  return html`<h2 id="reasons" tabindex="-1">Why requests failed</h2><p class="hint">Classes of errors, those of refusals among them.</p>
    <${Table} caption="Reasons of errors" columns=${columns} rows=${rows} keyOf=${([name]) => name} />`;
}
