/** Whole ticks of a clock of `hz` Hz in a span of ns, exact far beyond 2^53 products. */
const SECOND = 1_000_000_000;

/** Ticks that have passed after `ns`. */
export const ticksIn = (ns: number, hz: number): number => Math.floor(ns / SECOND) * hz + Math.floor(((ns % SECOND) * hz) / SECOND);

/** The first ns at which `ticks` ticks have passed. */
export const nsOf = (ticks: number, hz: number): number => Math.floor(ticks / hz) * SECOND + Math.ceil(((ticks % hz) * SECOND) / hz);
