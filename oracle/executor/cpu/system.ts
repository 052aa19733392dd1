/** Exceptions asked for, ways into Xen, flags, CPUID, time, and what does nothing. */
import { NotModelled } from '#spec/failure.ts';
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { linear, linearOf, readable } from './address.ts';
import { nextIp } from './code_segment.ts';
import type { Cpu } from './cpu.ts';
import { BP, DB, GP, NM, OF, SYSCALL, UD } from './exit.ts';
import { arithmeticFlags, carry, getFlags, setArithmeticFlags, setCarry } from './flags.ts';
import { CPL, CR4, IDTR_LIMIT, PAGE, SYSTEM } from './layout.ts';
import { type Handler, STOP } from './op.ts';
import { setRegister } from './operand.ts';
import { sidt } from './system/table_registers.ts';

const { CF, PF, AF, ZF, SF, DF, RF } = RFLAGS;

/** Places of RAX, RCX, RDX, RBX, R11 in the register file. */
const [A, C, D, B, R11] = [0, 2, 4, 6, 22];

export const nop: Handler = (_, o) => o.next;

export const undefinedOpcode: Handler = (c) => c.fault(UD, null);

/** IOPL is 0 and the guest runs in ring 3: Xen emulates what it allows. */
export const privileged: Handler = (c) => c.fault(GP, 0);

/** FWAIT: #NM while CR0.TS is set (CR0.MP always is). */
export const fwait: Handler = (c, o) => (c.taskSwitched ? c.fault(NM, null) : o.next);

/** The vector of LEGACY_SYSCALL_VECTOR, through which Xen lets guests enter their own handler. */
const INT80 = 0x80;
/** Vectors whose gates ring 3 may use by a software interrupt. */
const OPEN_GATES: readonly number[] = [BP, OF, INT80];

/** Hypercalls of 32-bit domains: a gate for rings 0 and 1. */
const HYPERCALL_GATE = 0x82;

const mayUseGate = (c: Cpu, vector: number): boolean => OPEN_GATES.includes(vector) || (vector === HYPERCALL_GATE && c.s[CPL] <= 1);

/** INT n; other gates are closed to guests, and the error code names the gate in the interrupt table. */
export const int: Handler = (c, o) => {
  const vector = o.imm & 0xff;
  if (!mayUseGate(c, vector)) c.fault(GP, vector * 8 + 2);
  return c.leave(o, { kind: 'int', vector });
};

export const int3: Handler = (c, o) => c.leave(o, { kind: 'int', vector: BP });
/** A debug trap of which DR6 tells nothing. */
export const int1: Handler = (c, o) => c.leave(o, { kind: 'int', vector: DB });

/** SIDT of a PV guest: where Xen's table lies is known for one processor only. */
export const storeIdt: Handler = (c, o) => {
  if (c.s[IDTR_LIMIT] === 0) throw new NotModelled('instruction/sidt');
  return sidt(c, o);
};

export const syscall: Handler = (c, o) => {
  const s = c.s;
  const flags = getFlags(c);
  // Whoever comes next looks at them again.
  setArithmeticFlags(c, flags);
  s[R11] = flags & ~RF;
  s[R11 + 1] = 0;
  s[C] = c.legacy ? nextIp(c, o) : s[PAGE] + o.end;
  s[C + 1] = c.legacy ? 0 : s[PAGE + 1] + (s[C] >>> 0 < s[PAGE] >>> 0 ? 1 : 0);
  return c.leave(o, SYSCALL);
};

export const clc: Handler = (c, o) => {
  setCarry(c, false);
  return o.next;
};
export const stc: Handler = (c, o) => {
  setCarry(c, true);
  return o.next;
};
export const cmc: Handler = (c, o) => {
  setCarry(c, !carry(c));
  return o.next;
};
export const cld: Handler = (c, o) => {
  c.s[SYSTEM] &= ~DF;
  return o.next;
};
export const std: Handler = (c, o) => {
  c.s[SYSTEM] |= DF;
  return o.next;
};

/** The flags that travel through AH. */
const IN_AH = SF | ZF | AF | PF | CF;

export const lahf: Handler = (c, o) => {
  c.s8[1] = (arithmeticFlags(c) & IN_AH) | RFLAGS.fixed1;
  return o.next;
};
export const sahf: Handler = (c, o) => {
  setArithmeticFlags(c, (arithmeticFlags(c) & ~IN_AH) | (c.s8[1] & IN_AH));
  return o.next;
};

/** XLAT: AL from the table at RBX, with the operand address RBX + AL. */
export const xlat: Handler = (c, o) => {
  const s = c.s;
  const base = s[B];
  const offset = (base + c.s8[0]) | 0;
  c.high = (s[B + 1] + (offset >>> 0 < base >>> 0 ? 1 : 0)) | 0;
  const lo = linearOf(c, o, offset);
  c.s8[0] = c.dv.getUint8(readable(c, o, lo, c.high, 0));
  return o.next;
};

/** OSXSAVE, bit 27 of ECX in leaf 1: the bare machine shows CR4's bit, Xen what its table says. */
const OSXSAVE_LEAF = 1;
const OSXSAVE = 1 << 27;
const withOsxsave = (c: Cpu, leaf: number, ecx: number): number => {
  if (leaf !== OSXSAVE_LEAF || !c.platform.bare) return ecx;
  return (c.s[CR4] & CR4_BITS.OSXSAVE) !== 0 ? ecx | OSXSAVE : ecx & ~OSXSAVE;
};

/** Leaves without a row read as zero. */
export const cpuid: Handler = (c, o) => {
  const s = c.s;
  const leaf = s[A] >>> 0;
  const subleaf = s[C] >>> 0;
  const row = c.cpuid.find((r) => r.leaf >>> 0 === leaf && (r.subleaf === null || r.subleaf >>> 0 === subleaf));
  setRegister(c, A, 4, row?.eax ?? 0, 0);
  setRegister(c, B, 4, row?.ebx ?? 0, 0);
  setRegister(c, C, 4, withOsxsave(c, leaf, row?.ecx ?? 0), 0);
  setRegister(c, D, 4, row?.edx ?? 0, 0);
  return o.next;
};

/** How many steps of the run came before is known outside the burst only: it ends here, and `Cpu.run` fills in the answer. */
export const rdtsc: Handler = (c, o) => {
  if (c.s[CPL] !== 0 && (c.s[CR4] & CR4_BITS.TSD) !== 0) c.fault(GP, 0);
  c.wantsTime = true;
  c.hold(o.next);
  return STOP;
};

const TSC_AUX = 0xc0000103;
/** A PV guest's is 0. */
const processorId = (c: Cpu): number => Number(BigInt.asIntN(32, c.msrs.get(TSC_AUX) ?? 0n));

export const rdtscp: Handler = (c, o) => {
  const follow = rdtsc(c, o);
  setRegister(c, C, 4, processorId(c), 0);
  return follow;
};

/** RDPID: 64 bits, zero-extended. */
export const rdpid: Handler = (c, o) => {
  setRegister(c, o.a, c.legacy ? 4 : 8, processorId(c), 0);
  return o.next;
};

/** The answer to RDTSC into EDX:EAX. */
export const answerTime = (c: Cpu, tsc: bigint): void => {
  setRegister(c, A, 4, Number(BigInt.asIntN(32, tsc)), 0);
  setRegister(c, D, 4, Number(BigInt.asIntN(32, tsc >> 32n)), 0);
};

/** CLFLUSH and its like want their address to be readable, but do not mind code that only executes. */
export const clflush: Handler = (c, o) => {
  const lo = linear(c, o);
  readable(c, o, lo, c.high, 0);
  return o.next;
};
