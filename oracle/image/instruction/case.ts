/** One instruction with the state that it meets. A machine takes one step of it, or all iterations, and says what came of it. */

/** What the processor takes the bytes for. Further modes (16 and 32 bits) are further names here. */
export const MODES = ['64'] as const;
export type Mode = (typeof MODES)[number];

/** Bytes that lie in the window before the instruction runs. At most 16 at once. */
export type Poke = { readonly at: number; readonly bytes: Uint8Array };
export const MOST_POKES = 6;
export const POKE_BYTES = 16;

/** Selectors have other numbers on every system: a case names them, and each machine puts its own number there. */
export type SelectorName = 'code64' | 'data';
export type Selector = { readonly name: SelectorName } & ({ readonly register: number } | { readonly at: number });

/**
 * How the case is run. `through`: without the trap flag, to the end of all iterations; only for instructions that fall through to
 * the next one (or fault) and write nothing into code. `step`: with RFLAGS.TF set, one step.
 */
export type Way = 'through' | 'step';

export type InstructionCase = {
  /** Index of the row in spec/isa/x86/opcodes.ts. */
  readonly row: number;
  readonly mode: Mode;
  readonly seed: number;
  readonly way: Way;
  /** Operand size by prefixes and the row's default, in bytes; byte operands have their own. */
  readonly size: 2 | 4 | 8;
  /** Where the first operand is: a register's number, memory, or neither. */
  readonly destination: number | 'memory' | null;
  /** What is special about its operands, for people. */
  readonly form: string;
  /** The instruction's bytes; they lie at `rip`, cut off at the end of the window's page run. */
  readonly code: Uint8Array;
  readonly rip: number;
  /** General registers in the encoding's order. */
  readonly regs: BigUint64Array;
  /** RFLAGS without TF: IF, the fixed bit, arithmetic flags, DF, NT, ID. */
  readonly flags: number;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  /** x87, MMX and SSE state as an FXSAVE image of 512 bytes; null for instructions that do not touch it. */
  readonly fx: Uint8Array | null;
  readonly pokes: readonly Poke[];
  readonly selectors: readonly Selector[];
};

export const FX_BYTES = 512;

/** The state after FNINIT with MXCSR at its reset value, registers zero. */
export const initialFx = (): Uint8Array => {
  const image = new Uint8Array(FX_BYTES);
  const view = new DataView(image.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint32(24, 0x1f80, true);
  return image;
};

/** Where a case that runs `through` goes on behind the instruction: below 2 GiB, outside the window, where a peer may have code. */
export const LEAVE = 0x6ead0000;

const JMP_REL32 = 0xe9;
const JMP_BYTES = 5;

/** The bytes that lie at `rip`: the instruction, and for `through` the jump that leaves it. */
export const placedCode = ({ way, code, rip }: InstructionCase): Uint8Array => {
  if (way === 'step') return code;
  const bytes = new Uint8Array(code.length + JMP_BYTES);
  bytes.set(code);
  bytes[code.length] = JMP_REL32;
  new DataView(bytes.buffer).setInt32(code.length + 1, LEAVE - (rip + bytes.length), true);
  return bytes;
};

/** The registers and pokes with the selectors that a machine has for their names. Only the low 16 bits of a register change. */
export const withSelectors = (
  { regs, pokes, selectors }: InstructionCase,
  numbers: Readonly<Record<SelectorName, number>>,
): { readonly regs: BigUint64Array; readonly pokes: readonly Poke[] } => {
  if (selectors.length === 0) return { regs, pokes };
  const named = regs.slice();
  const extra: Poke[] = [];
  for (const selector of selectors) {
    const number = numbers[selector.name];
    if ('register' in selector) named[selector.register] = (named[selector.register] & ~0xffffn) | BigInt(number);
    else extra.push({ at: selector.at, bytes: Uint8Array.of(number & 0xff, number >> 8) });
  }
  return { regs: named, pokes: [...pokes, ...extra] };
};
