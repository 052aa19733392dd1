/** One case on silicon and on an engine: the first difference that the manuals do not allow. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { LAST_INSTRUCTION } from '#spec/isa/x86/undefined.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';
import { fxStateOf, sameFx } from '../../image/instruction/fx_state.ts';
import type { SiliconResult } from '../../peers/silicon/format.ts';
import { HOST_SELECTORS } from '../../peers/silicon/format.ts';
import { fxDifference } from './fx_compare.ts';
import type { Mask } from './mask.ts';
import { type Change, type EngineResult, XEN_SELECTORS } from './window_state.ts';

const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
const PF = 14;
/** From here on the host's kernel says "present" in error codes, whatever its tables hold. */
const KERNEL = 0x7ffffffff000n;
const PRESENT = 1;
/** RF is set in the flags that an exception shows, never in those of the program. */
const SHOWN_FLAGS = ~RFLAGS.RF;

const hex = (n: bigint | number): string => `0x${n.toString(16)}`;

/** Registers whose low halves are the machine's own affair: `open/tsc-rate`. */
const TIME: Readonly<Record<string, readonly number[]>> = { rdtsc: [0, 2], rdtscp: [0, 1, 2] };

const hostSelector = (selector: number): number => {
  if (selector === XEN_SELECTORS.code64) return HOST_SELECTORS.code64;
  return selector === XEN_SELECTORS.data ? HOST_SELECTORS.data : selector;
};

/** A register that was given a selector by name. */
const hostRegister = (c: InstructionCase, register: number, value: bigint): bigint =>
  c.selectors.some((s) => 'register' in s && s.register === register)
    ? (value & ~0xffffn) | BigInt(hostSelector(Number(value & 0xffffn)))
    : value;

/** An error code may name a selector without its RPL. */
const hostError = (error: number): number => (hostSelector(error | 3) === (error | 3) ? error : hostSelector(error | 3) & ~3);

/** Null when they agree, else what differs: `rax silicon 0x1, engine 0x2`. */
export const difference = (c: InstructionCase, silicon: SiliconResult, engine: EngineResult, mask: Mask): string | null => {
  const differ = (what: string, seen: bigint | number | string, told: bigint | number | string): string =>
    `${what} silicon ${typeof seen === 'string' ? seen : hex(seen)}, engine ${typeof told === 'string' ? told : hex(told)}`;
  const ending = (r: { end: string; vector: number }): string => (r.end === 'fault' || r.end === 'trap' ? `${r.end} ${r.vector}` : r.end);
  if (ending(silicon) !== ending(engine))
    return differ('end', ending(silicon), engine.end === 'not modelled' ? engine.what : ending(engine));
  const fault = silicon.end === 'fault';
  if (fault) {
    const ignored = silicon.vector === PF && silicon.address >= KERNEL ? PRESENT : 0;
    if (((silicon.error ^ hostError(engine.error)) & ~ignored) !== 0) return differ('error code', silicon.error, engine.error);
    if (silicon.vector === PF && silicon.address !== engine.address) return differ('cr2', silicon.address, engine.address);
  }
  if (silicon.rip !== engine.rip) return differ('rip', silicon.rip, engine.rip);
  // Outside 64-bit mode the upper halves are nobody's business.
  const width = c.mode === '64' ? 0xffffffffffffffffn : 0xffffffffn;
  const time = TIME[OPCODES[c.row].mnemonic];
  for (const [r, name] of REGISTERS.entries()) {
    if (c.mode !== '64' && r >= 8) break;
    if (mask.destination && c.destination === r) continue;
    const shift = time?.includes(r) && !fault ? 32n : 0n;
    if (((silicon.regs[r] ^ hostRegister(c, r, engine.regs[r])) & width) >> shift !== 0n)
      return differ(name, silicon.regs[r], engine.regs[r]);
  }
  const compared = SHOWN_FLAGS & ~mask.flags;
  if (((silicon.flags ^ engine.flags) & compared) !== 0) return differ('rflags', silicon.flags & compared, engine.flags & compared);
  for (const [n, name] of SEGMENTS.entries()) {
    const told = hostSelector(engine.selectors[n]);
    // A kernel may return to a program with 0 for a null selector of any RPL.
    if (silicon.selectors[n] !== told && (silicon.selectors[n] > 3 || told > 3)) return differ(name, silicon.selectors[n], told);
  }
  if (c.mode === '64' && silicon.fsBase !== engine.fsBase) return differ('fs base', silicon.fsBase, engine.fsBase);
  if (c.mode === '64' && silicon.gsBase !== engine.gsBase) return differ('gs base', silicon.gsBase, engine.gsBase);
  if (silicon.fx !== null && engine.fx !== null && !sameFx(silicon.fx, engine.fx)) {
    const what = fxDifference(c, fxStateOf(silicon.fx), fxStateOf(engine.fx));
    if (what !== null) return what;
  }
  if (mask.destination && c.destination === 'memory') return null;
  return memoryDifference(c, silicon.changes, engine.changes);
};

const describe = (changes: readonly Change[]): string =>
  changes.length === 0
    ? 'nothing'
    : changes.map(({ at, bytes }) => `${hex(at)}: ${Buffer.from(bytes.subarray(0, 16)).toString('hex')}`).join(' ');

const same = (a: readonly Change[], b: readonly Change[]): boolean =>
  a.length === b.length && a.every((change, n) => change.at === b[n].at && Buffer.compare(change.bytes, b[n].bytes) === 0);

/** Changed bytes one by one, without those at some places. */
const without = (changes: readonly Change[], places: readonly number[]): readonly Change[] =>
  changes.flatMap(({ at, bytes }) =>
    [...bytes].map((byte, n) => ({ at: at + n, bytes: Uint8Array.of(byte) })).filter((change) => !places.includes(change.at)),
  );

/** Where an image tells what the x87 remembers of its last instruction. */
const lastInstructionPlaces = (c: InstructionCase): readonly number[] => {
  const { mnemonic } = OPCODES[c.row];
  if (c.memory === null) return [];
  const environment = c.size === 2 ? LAST_INSTRUCTION.environment16 : LAST_INSTRUCTION.environment32;
  const place = /^fn?(stenv|save)$/.test(mnemonic) ? environment : /^(fx|x)save/.test(mnemonic) ? LAST_INSTRUCTION.fxsave : null;
  if (place === null) return [];
  return Array.from({ length: place.length }, (_, n) => Number(c.memory) + place.first + n);
};

const memoryDifference = (c: InstructionCase, silicon: readonly Change[], engine: readonly Change[]): string | null => {
  if (same(silicon, engine)) return null;
  if (OPCODES[c.row].mnemonic === 'call_far') {
    // It pushes CS, perhaps over the selector that the case put there.
    const slots = [Number(c.regs[4]) - c.size, ...c.selectors.flatMap((s) => ('at' in s ? [s.at] : []))].flatMap((at) => [at, at + 1]);
    if (same(without(silicon, slots), without(engine, slots))) return null;
  }
  const remembered = lastInstructionPlaces(c);
  if (remembered.length > 0 && same(without(silicon, remembered), without(engine, remembered))) return null;
  return `memory silicon ${describe(silicon)}, engine ${describe(engine)}`;
};
