/**
 * A process that speaks PMI-1 by itself, in the way of the first argument. `exchange` tells all
 * others a text of its own; `wait` stays until the launcher is gone; `absent` initialises and ends.
 */

import { Socket } from "node:net";

const socket = new Socket({
  fd: Number(Deno.env.get("PMI_FD")),
  readable: true,
  writable: true,
});
const rank = Number(Deno.env.get("PMI_RANK"));
const size = Number(Deno.env.get("PMI_SIZE"));

const answers: ((line: string) => void)[] = [];
let received = "";
socket.on("data", (chunk) => {
  const lines = (received + chunk).split("\n");
  received = lines.pop()!;
  for (const line of lines) answers.shift()!(line);
});

function ask(line: string): Promise<string> {
  return new Promise((resolve) => {
    answers.push(resolve);
    socket.write(`${line}\n`);
  });
}

await ask("cmd=init pmi_version=1 pmi_subversion=1");
switch (Deno.args[0]) {
  case "exchange": {
    const space = (await ask("cmd=get_my_kvsname")).split("kvsname=")[1]!;
    await ask(`cmd=put kvsname=${space} key=${rank} value=${String(rank).repeat(1000)}`);
    await ask("cmd=barrier_in");
    const texts: string[] = [];
    for (let other = 0; other < size; other++) {
      const answer = await ask(`cmd=get kvsname=${space} key=${other}`);
      const value = answer.split("value=")[1]!;
      texts.push(`${value[0]}x${value.length}`);
    }
    console.log(`${rank} of ${size} on ${Deno.hostname()}: ${texts.join(" ")}`);
    await ask("cmd=finalize");
    break;
  }
  case "wait":
    Deno.addSignalListener("SIGTERM", () => {});
    console.log(`pid ${Deno.pid} `);
    await new Promise((resolve) => socket.on("close", resolve));
    break;
}
socket.destroy();
