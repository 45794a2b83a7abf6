/**
 * Offering the core to others while one waits. Where every PE has a core of its own, and other
 * programs want it too, an offer costs a time slice of the system, milliseconds in which nobody
 * hears what is waited for. Whoever sleeps instead is woken at once.
 *
 * @module
 */

/** An offer that takes longer, in milliseconds, was taken up by a thread that computes. */
const LONG_MS = 0.2;
/** How long no other is made then, in milliseconds: twice as long each time it happens in a row. */
const PAUSE_MS = 20;
const PAUSE_MS_MAX = 640;

/**
 * Makes offers pause while other programs take them up for long.
 *
 * @param offer Offers the core.
 * @param now The time in milliseconds.
 * @returns The same, doing nothing during a pause.
 */
export function pausingOffer(offer: () => void, now = () => performance.now()): () => void {
  let resumeAt = 0;
  let pauseMs = PAUSE_MS;
  return () => {
    const began = now();
    if (began < resumeAt) return;
    offer();
    const ended = now();
    if (ended - began < LONG_MS) {
      pauseMs = PAUSE_MS;
      return;
    }
    resumeAt = ended + pauseMs;
    pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
  };
}
