// The libraries, as the pages use them. Values in html`…` are text, never markup.
import { h, render } from "./vendor/preact.js";
import { useEffect, useErrorBoundary, useMemo, useRef, useState } from "./vendor/preact-hooks.js";
import { computed, signal } from "./vendor/preact-signals.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { computed, render, signal, useEffect, useErrorBoundary, useMemo, useRef, useState };
