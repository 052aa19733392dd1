/** One instruction with the state that it meets. A machine takes one step of it, or all iterations, and says what came of it. */
import { segmentNamed } from './segments.ts';

/** What the processor takes the bytes for: 64-bit mode, or compatibility mode with code of 32 or 16 bits. */
export const MODES = ['64', '32', '16'] as const;
export type Mode = (typeof MODES)[number];

/** Bytes that lie in the window before the instruction runs. */
export type Poke = { readonly at: number; readonly bytes: Uint8Array };
export const MOST_POKES = 16;
export const POKE_BYTES = 1024;

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
  /** The instruction's bytes; they lie at the linear address `rip`, cut off at the end of the window's page run. */
  readonly code: Uint8Array;
  readonly rip: number;
  /** ES CS SS DS FS GS outside 64-bit mode, selectors of segments.ts; null in 64-bit mode, whose selectors are the system's. */
  readonly segments: readonly number[] | null;
  /** General registers in the encoding's order. */
  readonly regs: BigUint64Array;
  /** RFLAGS without TF: IF, the fixed bit, arithmetic flags, DF, NT, ID, AC. */
  readonly flags: number;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  /** x87, MMX and SSE state as an FXSAVE image of 512 bytes; null for instructions that do not touch it. */
  readonly fx: Uint8Array | null;
  /** Where the generator meant the memory operand to lie (linear); null without one. */
  readonly memory: bigint | null;
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
const JMP_FAR = 0xea;
const OPERAND_SIZE = 0x66;
/** Linux's code segment of 64 bits, where LEAVE is reached from other modes. */
const CODE64 = 0x33;

/** What leaves a case of the given mode, at the linear address `at`. */
const leaving = (mode: Mode, at: number): readonly number[] => {
  const dword = (n: number): number[] => [n & 0xff, (n >> 8) & 0xff, (n >> 16) & 0xff, (n >> 24) & 0xff];
  if (mode === '64') return [JMP_REL32, ...dword(LEAVE - (at + JMP_BYTES))];
  return [...(mode === '16' ? [OPERAND_SIZE] : []), JMP_FAR, ...dword(LEAVE), CODE64, 0];
};

/** The bytes that lie at `rip`: the instruction, and for `through` the jump that leaves it. */
export const placedCode = ({ way, code, rip, mode }: InstructionCase): Uint8Array =>
  way === 'step' ? code : Uint8Array.from([...code, ...leaving(mode, rip + code.length)]);

/** Where CS begins: what instructions see of `rip` is its distance from here. */
export const codeBase = ({ segments }: InstructionCase): number => (segments === null ? 0 : (segmentNamed(segments[1])?.base ?? 0));

/** A 16-bit stack pointer keeps what the upper half of ESP held; silicon gets there with this, and cases have it. */
export const UPPER_ESP = 0x6ead0000;

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
