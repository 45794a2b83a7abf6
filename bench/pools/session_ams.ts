/** The AMs of a session. */
import { am, f64, region } from "../../mod.ts";
import { addOne, increment } from "./tasks.ts";

/** The small task. */
export const Increment = am("bench.Increment", { value: f64 }, ({ value }) => increment(value), {
  returns: f64,
});

/** Changes the part of the PE in place. */
export const AddOne = am("bench.AddOne", { data: region("f64") }, ({ data }) => {
  addOne(data.asMutSlice());
});
