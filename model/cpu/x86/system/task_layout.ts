/** Where a task-state segment keeps what. Source: SDM volume 3, 8.2.1 and 8.6; APM volume 2, 12.2. */
export type TaskLayout = {
  /** Bytes of registers, and the smallest limit that is enough. */
  readonly size: 2 | 4;
  readonly limit: number;
  readonly cr3: number | null;
  readonly ip: number;
  readonly flags: number;
  /** Eight general registers in the encoding's order. */
  readonly regs: number;
  /** ES CS SS DS (FS GS). */
  readonly selectors: readonly number[];
  readonly ldt: number;
  /** The word whose bit 0 asks for a debug trap. */
  readonly trap: number | null;
};

export const TASK16: TaskLayout = {
  size: 2,
  limit: 0x2b,
  cr3: null,
  ip: 14,
  flags: 16,
  regs: 18,
  selectors: [34, 36, 38, 40],
  ldt: 42,
  trap: null,
};

export const TASK32: TaskLayout = {
  size: 4,
  limit: 0x67,
  cr3: 28,
  ip: 32,
  flags: 36,
  regs: 40,
  selectors: [72, 76, 80, 84, 88, 92],
  ldt: 96,
  trap: 100,
};
