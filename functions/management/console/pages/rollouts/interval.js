// A share with the interval that its count leaves open, as text and as a line.
import { html } from "../../lib.js";
import { count, percent } from "../../format.js";

const Z = 1.959964; // of a normal distribution, 95 % lie within so many standard deviations

// The 95 % interval of a share of which `bad` of `all` were seen, by Wilson's score: E. B. Wilson, "Probable inference, the law of
// succession, and statistical inference", Journal of the American Statistical Association 22 (1927), 209-212. It holds for few
// and for no bad ones too. To be seen only: the guard decides by tests of its own (docs/adr/0026).
function wilson(bad, all) {
  if (!all) return [0, 1];
  const share = bad / all;
  const spread = Z * Math.sqrt((share * (1 - share)) / all + (Z * Z) / (4 * all * all));
  const [low, high] = [-1, 1].map((side) => (share + (Z * Z) / (2 * all) + side * spread) / (1 + (Z * Z) / all));
  return [bad === 0 ? 0 : Math.max(0, low), bad === all ? 1 : Math.min(1, high)];
}

// The largest share that has to fit on the lines of a row.
export function scaleOf(counts, limit = 0) {
  const highs = counts.filter(([, all]) => all).map(([bad, all]) => wilson(bad, all)[1]);
  return Math.min(1, Math.max(limit * 1.2, ...highs, 0.001));
}

// `limit`, if there is one, is a mark on the line.
export function Rate({ bad, all, scale, limit }) {
  if (!all) return html`<span class="hint">none of ${count(all)}</span>`;
  const [low, high] = wilson(bad, all);
  const at = (share) => `${Math.min(1, share / scale) * 100}%`;
  const said = `${percent(low)} to ${percent(high)}`;
  return html`<div>${count(bad)} of ${count(all)}: <strong>${percent(bad / all)}</strong></div>
    <svg class="interval" role="img" aria-label=${`95 % interval: ${said}`} width="100%" height="14">
      <line x1="0" x2="100%" y1="7" y2="7" class="axis" /><line x1=${at(low)} x2=${at(high)} y1="7" y2="7" class="range" />
      ${limit != null && html`<line x1=${at(limit)} x2=${at(limit)} y1="0" y2="14" class="limit" />`}<circle cx=${at(bad / all)} cy="7" r="4" /></svg>
    <div class="hint">95 %: ${said}</div>`;
}
