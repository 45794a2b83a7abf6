/**
 * The codecs of values without a schema, one for each place they come from, so that messages name
 * it.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { MsgpackCodec } from "./msgpack_codec.ts";

/** Codec of payloads without a schema. */
export const payloadCodec: Codec<unknown> = new MsgpackCodec("self");

/** Codec of results without a schema. */
export const resultCodec: Codec<unknown> = new MsgpackCodec("result");

/** Codec of the captures of closures. */
export const capturesCodec: Codec<unknown> = new MsgpackCodec("captures");
