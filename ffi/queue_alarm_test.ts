import { assertEquals } from "@std/assert";
import { openFabric } from "./fabric_open.ts";
import { findAlarm } from "./queue_alarm.ts";

Deno.test("an alarm is looked for only where it has been seen", () => {
  using tcp = openFabric({ provider: "tcp;ofi_rxm" });
  const { fd, alarm } = tcp.waitObject!;
  assertEquals(findAlarm(fd, "tcp;ofi_rxm", "1.17"), alarm);
  assertEquals(findAlarm(fd, "tcp;ofi_rxm", "2.1"), undefined);
  assertEquals(findAlarm(fd, "net", "1.17"), undefined);
  assertEquals(findAlarm(0, "tcp;ofi_rxm", "1.17"), undefined);
  // The set of the sockets itself: one alarm, but in no set of its own.
  assertEquals(findAlarm(alarm!.set, "tcp;ofi_rxm", "1.17"), undefined);
  for (const provider of ["net", "udp;ofi_rxd"]) {
    using other = openFabric({ provider });
    assertEquals(other.waitObject?.alarm, undefined);
  }
});
