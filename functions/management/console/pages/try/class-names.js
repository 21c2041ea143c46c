// The names of an output's classes, which only the model's labels.txt has: asked for by the classification extension.
import { send } from "../../api.js";
import { built, read } from "./request.js";

// By class; the same request is sent once more. An answer's values are VALUE:CLASS or VALUE:CLASS:NAME.
export async function classNames({ request, version }, { model }, { name, shape }) {
  const outputs = [{ name, parameters: { classification: shape.at(-1) } }];
  const ready = built({ ...request, outputs }, model, version);
  const answer = read(await send("POST", ready.path, { headers: ready.headers, body: ready.body }));
  const parts = answer.outputs[0].values.map((value) => value.split(":"));
  return Object.fromEntries(parts.map(([, place, ...rest]) => [place, rest.length ? rest.join(":") : place]));
}
