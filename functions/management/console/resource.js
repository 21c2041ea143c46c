// What a page reads from the API, as a hook.
import { useEffect, useRef, useState } from "./lib.js";

// useResource((signal) => promise, dependencies, {every}) → {data, error, loading, reload, set}.
// With `every`, or what it answers for the data, it is read again after so many milliseconds while the tab is seen; what is
// shown stays meanwhile.
export function useResource(read, dependencies, { every } = {}) {
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
  };
  useEffect(() => {
    load(false);
    return () => current.current.abort?.abort();
  }, dependencies);
  const wait = typeof every === "function" ? state.data !== undefined && every(state.data) : every;
  useEffect(() => {
    const timer = wait && setInterval(() => document.visibilityState === "visible" && load(true), wait);
    return () => clearInterval(timer);
  }, [wait, ...dependencies]);
  return { ...state, reload: () => load(true), set: (data) => setState({ data, loading: false }) };
}
