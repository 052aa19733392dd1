/** Where an instruction writes, as Xen's emulator of page-table writes sees it. Chapter: spec/chapters/emulation.md, "Page-table writes". */
import { NotModelled } from '#spec/failure.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { cutAddress, effectiveAddress } from '../cpu/x86/operand.ts';
import { farAddress } from '../cpu/x86/rules/bits.ts';
import type { Running } from '../cpu/x86/running.ts';
import { RDI, RSP } from '../cpu/x86/state.ts';
import { ACCESS } from '../memory/translate.ts';
import { addInt, equal, type Word, word } from '../word/word.ts';

/**
 * `plain`: writes whatever was there. `changed`: reads first, and writes only what is new. `compared`, `compared_pair`: reads first,
 * and writes when ZF comes out set (CMPXCHG, CMPXCHG8B and 16B).
 */
export type Store = {
  readonly address: Word;
  readonly size: number;
  readonly kind: 'plain' | 'changed' | 'compared';
  /** An immediate bit number led beyond the operand. */
  readonly beyond?: boolean;
};

const PLAIN: readonly string[] = ['mov', 'movbe', 'movnti', 'pop'];
const PUSHES: readonly string[] = ['push', 'pushf', 'call'];
const STRINGS: readonly string[] = ['stos', 'movs'];
const CHANGES: readonly string[] = [
  ...['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'inc', 'dec', 'not', 'neg', 'xchg', 'xadd'],
  ...['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar', 'shld', 'shrd', 'bts', 'btr', 'btc'],
];
const BITS: readonly string[] = ['bts', 'btr', 'btc'];

/** x87 instructions that write to memory. */
export const X87_STORES: readonly string[] = ['fst', 'fstp', 'fist', 'fistp', 'fisttp', 'fbstp', 'fnstcw', 'fnstenv', 'fnsave', 'fnstsw'];

/** Null for instructions that Xen's emulator cannot do here. `s`: a processor whose FS and GS have no base. */
export const storeOf = (s: Running, i: Instruction): Store | null => {
  const { mnemonic, dst } = i;
  if (X87_STORES.includes(mnemonic)) throw new NotModelled('emulation/ptwr-x87');
  if (STRINGS.includes(mnemonic)) return { address: cutAddress(s.regs[RDI], i.addressSize), size: dst.size, kind: 'plain' };
  if (PUSHES.includes(mnemonic)) return { address: below(s, i.size), size: i.size, kind: 'plain' };
  if (dst.kind !== 'mem') return memorySource(s, i);
  const address = effectiveAddress(mnemonic === 'pop' ? popped(s, i) : s, i, dst);
  if (PLAIN.includes(mnemonic) || mnemonic.startsWith('set')) return { address, size: dst.size, kind: 'plain' };
  // emulation/ptwr-bit_offset
  if (BITS.includes(mnemonic)) return bitStore(s, i, address);
  if (CHANGES.includes(mnemonic)) return { address, size: dst.size, kind: 'changed' };
  if (mnemonic === 'cmpxchg') return { address, size: dst.size, kind: 'compared' };
  if (mnemonic === 'cmpxchg8b') return { address, size: i.size === 8 ? 16 : 8, kind: 'compared' };
  return null;
};

/** Where PUSH writes; in 32-bit code the stack pointer has 32 bits. */
const below = (s: Running, size: number): Word => {
  const address = addInt(s.regs[RSP], -size);
  return s.system.mode === 'compat32' ? word(0, address.lo) : address;
};

/** POP has moved RSP before it forms its address. */
const popped = (s: Running, { size }: Instruction): Running => ({ ...s, regs: s.regs.with(RSP, addInt(s.regs[RSP], size)) });

/** The piece that holds the bit, to which also an immediate number may lead. */
const bitStore = (s: Running, i: Instruction, operand: Word): Store => {
  const address = farAddress(s, i, ACCESS.READ);
  return { address, size: i.dst.size, kind: 'changed', beyond: i.src.kind === 'imm' && !equal(address, operand) };
};

/** XCHG names its memory second in some spellings. */
const memorySource = (s: Running, i: Instruction): Store | null =>
  i.mnemonic === 'xchg' && i.src.kind === 'mem' ? { address: effectiveAddress(s, i, i.src), size: i.src.size, kind: 'changed' } : null;
