/** Between nanoseconds and the ticks of a clock, exactly. Both fit into the integers of a number for more than a month. */

const SECOND = 1_000_000_000;

/** Whole ticks of a clock of `hz` in `ns`. */
export const ticksOfNs = (ns: number, hz: number): number => {
  const seconds = Math.floor(ns / SECOND);
  return seconds * hz + Math.floor(((ns - seconds * SECOND) * hz) / SECOND);
};

/** The first ns at which `ticks` ticks are over. */
export const nsOfTicks = (ticks: number, hz: number): number => {
  const seconds = Math.floor(ticks / hz);
  return seconds * SECOND + Math.ceil(((ticks - seconds * hz) * SECOND) / hz);
};
