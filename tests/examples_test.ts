import { testExamples } from "./support/examples.ts";

testExamples({ title: "Example", pes: (known) => known });
