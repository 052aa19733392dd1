/**
 * Buffers of machines that are done. A fresh buffer of hundreds of megabytes costs little by itself, but it makes the garbage collector run for
 * every machine, which costs more than most programs take to run.
 */

/** Buffers kept for later; more machines than that seldom live at the same time. */
const MOST_KEPT = 2;

const kept: ArrayBuffer[] = [];

/** A buffer of `bytes` zeros. */
export const takeBuffer = (bytes: number): ArrayBuffer => {
  const at = kept.findIndex((buffer) => buffer.byteLength === bytes);
  return at < 0 ? new ArrayBuffer(bytes) : kept.splice(at, 1)[0]!;
};

/** Give back a buffer that nobody uses any more. It must be all zero again. */
export const giveBuffer = (buffer: ArrayBuffer): void => {
  kept.unshift(buffer);
  kept.length = Math.min(kept.length, MOST_KEPT);
};
