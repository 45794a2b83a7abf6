import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { isShare, makeShare, messageTokens, secretOf } from "./secret.ts";

Deno.test("each process adds 128 random bits, and any of them changes the secret", () => {
  const shares = Array.from({ length: 3 }, makeShare);
  assertEquals(new Set(shares).size, 3);
  assert(shares.every((share) => isShare(share) && share.length === 32));
  const secret = secretOf(shares);
  assertEquals(secretOf([...shares]), secret);
  for (let rank = 0; rank < 3; rank++) {
    const changed = shares.with(rank, makeShare());
    assertNotEquals(secretOf(changed), secret);
  }
  assertNotEquals(secretOf(shares.toReversed()), secret);
});

Deno.test("isShare() takes nothing else", () => {
  const share = makeShare();
  const wrong = [undefined, 5, "", share.slice(1), `${share}0`, share.replace(/^./, "g"), [share]];
  assertEquals(wrong.map(isShare), wrong.map(() => false));
});

Deno.test("messageTokens() gives every process 64 bits of its own, the same everywhere", () => {
  const secret = secretOf([makeShare()]);
  const tokens = messageTokens(secret, 256);
  assertEquals(messageTokens(secret, 256), tokens);
  assertEquals(new Set(new BigInt64Array(tokens.buffer)).size, 256);
  assertNotEquals(messageTokens(secretOf([makeShare()]), 256), tokens);
});
