// What a page reads from the API, as a hook.
import { useEffect, useMemo, useRef, useState } from "./lib.js";

// useResource((signal) => promise, dependencies, {every, again}) → {data, error, loading, reload, set}.
// With `every`, or what it answers for the data, it is read again after so many milliseconds while the tab is seen, or is again, and so it is
// when `again` changes; what is shown stays meanwhile.
export function useResource(read, dependencies, { every, again } = {}) {
  const [state, setState] = useState({ loading: true });
  const current = useRef({});
  const load = async (keeps) => {
    current.current.abort?.abort();
    const abort = new AbortController();
    current.current.abort = abort;
    setState((old) => (keeps ? { ...old, loading: true } : { loading: true }));
    try {
      const data = await read(abort.signal);
      if (!abort.signal.aborted) setState({ data, loading: false });
    } catch (error) {
      if (!abort.signal.aborted) setState((old) => ({ ...(keeps ? old : {}), error, loading: false }));
    }
    if (current.current.abort === abort) current.current.abort = null;
  };
  useEffect(() => {
    load(false);
    return () => current.current.abort?.abort();
  }, dependencies);
  const wait = typeof every === "function" ? state.data !== undefined && every(state.data) : every;
  const tick = () => document.visibilityState === "visible" && !current.current.abort && load(true); // a slow answer is waited for
  useEffect(() => {
    if (!wait) return undefined;
    const timer = setInterval(tick, wait);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [wait, ...dependencies]);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) load(true);
    first.current = false;
  }, [again]);
  return { ...state, reload: () => load(true), set: (data) => setState({ data, loading: false }) };
}

// The same for a list with pages: read(signal, token) → {items, token}. `more` adds the next page, and is null after the last.
// What is read again has as many pages as are shown.
export function usePages(read, dependencies, options) {
  const wanted = useMemo(() => ({ pages: 1 }), dependencies);
  const joined = async (signal) => {
    let list = await read(signal);
    for (let page = 1; page < wanted.pages && list.token; page++) list = join(list, await read(signal, list.token));
    return list;
  };
  const found = useResource(joined, dependencies, options);
  const shown = useRef();
  shown.current = found.data;
  const more = async () => {
    const before = shown.current;
    wanted.pages += 1; // a reading that goes on meanwhile reads it too
    try {
      const next = await read(undefined, before.token);
      if (shown.current === before) found.set(join(before, next));
    } catch (error) {
      wanted.pages -= 1;
      throw error;
    }
  };
  return { ...found, more: found.data?.token ? more : null };
}

const join = (list, next) => ({ ...list, items: [...list.items, ...next.items], token: next.token });

// Acts, and reads again what an ETag was of if that has changed meanwhile: the next attempt is about what is there now.
export async function guarded(reload, act) {
  try {
    await act();
  } catch (error) {
    if (error.status === 412) reload();
    throw error;
  }
}

// [box, seen]: whether the element with the ref `box` was seen, for what is asked for only then.
export function useSeen() {
  const box = useRef();
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && setSeen(true));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return [box, seen];
}
