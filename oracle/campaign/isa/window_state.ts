/** What all machines share that try instructions: the window as a case begins, and bytes that changed in it. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { type InstructionCase, type Poke, placedCode, withSelectors } from '../../image/instruction/case.ts';
import { offsetInWindow, PAGE, pristineWindow, WINDOW } from '../../image/instruction/window.ts';

import { HOST_SELECTORS } from '../../peers/silicon/format.ts';
import { TABLES_AT } from './system_tables.ts';

/** Xen's selectors for 64-bit guests. */
export const XEN_SELECTORS = { code64: 0xe033, data: 0xe02b } as const;
/** SS as Linux gives it to programs: the cases run under it on every machine. */
export const HOST_SS = 0x2b;

export type Change = { readonly at: number; readonly bytes: Uint8Array };

/** What came of a case on one of the engines; like the peer's result, with memory as stretches of changed bytes. */
export type EngineResult = {
  readonly end: 'done' | 'step' | 'fault' | 'trap' | 'syscall' | 'time' | 'not modelled';
  readonly vector: number;
  readonly error: number;
  readonly address: bigint;
  readonly regs: BigUint64Array;
  readonly rip: bigint;
  readonly flags: number;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  readonly selectors: readonly number[];
  /** An FXSAVE image, for a case that brought one. */
  readonly fx: Uint8Array | null;
  readonly changes: readonly Change[];
  /** What is not modelled. */
  readonly what: string;
};

/** A case with everything that an engine puts into its memory and registers. */
export type Prepared = {
  readonly instruction: InstructionCase;
  readonly regs: BigUint64Array;
  /** Stretches of one page each: the code and the pokes. */
  readonly stretches: readonly Poke[];
  /** The whole window as the case begins. Shared: valid until the next case is prepared. */
  readonly before: Uint8Array;
};

/** Rows that look at descriptor tables or at state of the system's own. */
const OF_SYSTEM =
  /^(lar|lsl|verr|verw|sldt|str|sgdt|sidt|smsw|xgetbv|xsave|xsaveopt|xsavec|xsaves|xrstor|xrstors|rdfsbase|rdgsbase|wrfsbase|wrgsbase)$/;

/** Software interrupts, of which only Xen's side tells the vector and does not go through a gate. */
const INTERRUPTS = /^(int|int3|into)$/;

/** 64-bit code mostly runs as under Xen, everything else as on the bare machine with Linux's descriptor tables. */
export const runsUnderXen = (c: InstructionCase): boolean => {
  const { mnemonic } = OPCODES[c.row];
  return c.mode === '64' ? !OF_SYSTEM.test(mnemonic) : INTERRUPTS.test(mnemonic);
};

/** Selectors as a case begins. */
export const selectorsOf = (c: InstructionCase): readonly number[] => {
  if (c.segments !== null) return c.segments;
  return [0, runsUnderXen(c) ? XEN_SELECTORS.code64 : HOST_SELECTORS.code64, HOST_SS, 0, 0, 0];
};

/** Cut at page borders, without what lies outside the window. */
const inPages = ({ at, bytes }: Poke): Poke[] => {
  const parts: Poke[] = [];
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, PAGE - ((at + done) % PAGE));
    if (offsetInWindow(at + done) >= 0) parts.push({ at: at + done, bytes: bytes.subarray(done, done + length) });
    done += length;
  }
  return parts;
};

const PRISTINE = pristineWindow();
const before = pristineWindow();
let touched: readonly Poke[] = [];

/** The first `prepare` of a case undoes the one before. */
export const prepare = (instruction: InstructionCase): Prepared => {
  const { regs, pokes } = withSelectors(instruction, runsUnderXen(instruction) ? XEN_SELECTORS : HOST_SELECTORS);
  const stretches = [{ at: instruction.rip, bytes: placedCode(instruction) }, ...pokes].flatMap(inPages);
  for (const { at, bytes } of touched) {
    const offset = offsetInWindow(at);
    before.set(PRISTINE.subarray(offset, offset + bytes.length), offset);
  }
  for (const { at, bytes } of stretches) before.set(bytes, offsetInWindow(at));
  touched = stretches;
  return { instruction, regs, stretches, before };
};

/** The frame of page `n` of the window: right behind the tables. */
export const offsetFrame = (n: number): number => FIRST_FRAME + n;

const ROOT = 1;
const FIRST_FRAME = 32;
/** Present, for users, accessed and dirty already. */
const ENTRY = 0x65n;
const WRITE = 2n;
const NO_EXECUTE = 1n << 63n;

/** Frame of the page of descriptor tables. */
export const TABLES_FRAME = 31;
/** For the supervisor alone. */
const SUPERVISOR_ENTRY = 0x63n;

/** The entries of page tables under frame 1 that map the window as WINDOW says, and the descriptor tables. */
export const tableEntries = (): readonly { readonly table: number; readonly index: number; readonly entry: bigint }[] => {
  const entries: { table: number; index: number; entry: bigint }[] = [];
  const tables = new Map<string, number>();
  let free = ROOT + 1;
  const map = (address: bigint, last: bigint): void => {
    let table = ROOT;
    for (const shift of [39n, 30n, 21n]) {
      const index = Number((address >> shift) & 511n);
      const known = tables.get(`${table}/${index}`);
      const next = known ?? free++;
      if (known === undefined) {
        tables.set(`${table}/${index}`, next);
        entries.push({ table, index, entry: BigInt(next * PAGE) | ENTRY | WRITE });
      }
      table = next;
    }
    entries.push({ table, index: Number((address >> 12n) & 511n), entry: last });
  };
  for (const [n, { address, write, execute }] of WINDOW.entries()) {
    const rights = (write ? WRITE : 0n) | (execute ? 0n : NO_EXECUTE);
    map(BigInt(address), BigInt(offsetFrame(n) * PAGE) | ENTRY | rights);
  }
  map(TABLES_AT, BigInt(TABLES_FRAME * PAGE) | SUPERVISOR_ENTRY);
  return entries;
};

/** The stretches of page `n` in which `now` differs from the window as the case began. */
export const changesOf = (n: number, now: Uint8Array, was: Uint8Array): Change[] => {
  const found: Change[] = [];
  const start = n * PAGE;
  for (let i = 0; i < PAGE; i++) {
    if (now[i] === was[start + i]) continue;
    let end = i;
    while (end < PAGE && now[end] !== was[start + end]) end++;
    found.push({ at: WINDOW[n].address + i, bytes: now.slice(i, end) });
    i = end;
  }
  return found;
};
