// I/O on PE 0 with AMs to PE 1 in between: io.ts <kind> [clients] [seconds]
import { am, f64, LamellarWorldBuilder, u32, u8 } from "../../mod.ts";
import { Answers, type Ask, IoLoad, type Places, type Question } from "../io_loads.ts";

const QUESTIONS: readonly Question[] = ["add", "compute", "read", "echo"];
let answers: Answers;

const Prepare = am<Places, void>("bench.Prepare", (self) => {
  answers = new Answers(self);
});
const Ask = am(
  "bench.Ask",
  { question: u8, value: u32 },
  (self) => answers.answer(QUESTIONS[self.question]!, self.value),
  { returns: f64 },
);

const [kind = "http", clients = 1, seconds = 1] = Deno.args;

await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  await using load = await IoLoad.open();
  await world.execAmPe(1, Prepare(load.places));
  const ask: Ask = (question, value) =>
    world.execAmPe(1, Ask({ question: QUESTIONS.indexOf(question), value })).then();
  await load.measure(kind, Number(clients), Number(seconds), ask);
}
