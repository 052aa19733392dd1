/** Instructions that leave ring 3, or that ring 3 may not execute. */
import { HYPERCALL_VECTOR } from '#spec/abi/compat.ts';
import { NotModelled } from '#spec/failure.ts';
import { ACCESS } from '../../../memory/translate.ts';
import { addInt, Word, ZERO } from '../../../word/word.ts';
import { generalProtection, softwareInterrupt, trap, undefinedOpcode } from '../fault.ts';
import { RF } from '../flags.ts';
import { readLinear } from '../linear.ts';
import { finish, linearAddress } from '../operand.ts';
import { VECTOR } from '../outcome.ts';
import { advance, bothReplaced, citing, nextRip, type Rules, type Running, type Semantics, setReg, withFlags } from '../running.ts';
import { R11, RAX, RBX, RCX, RDX } from '../state.ts';
import { CR0, CR4, UNKNOWN_TABLE } from '../system/state.ts';
import { sidt } from '../system/table_registers.ts';

/** x86/privileged: ring 3 with IOPL 0 may not; Xen may carry it out for the guest's kernel. */
const privilegedRule: Semantics = () => {
  throw generalProtection(0, 'x86/privileged');
};

/** UD0 UD1 UD2 and opcodes that 64-bit mode has given up. */
const undefinedRule: Semantics = () => {
  throw undefinedOpcode('x86/undefined-opcode');
};

/** Hints and fences: one step, nothing else. */
const nopRule: Semantics = (s, i) => withFlags(s, i, s.flags);

/** CLFLUSH: to memory and protection it is a load of one byte, which code that cannot be read allows too. */
const clflushRule: Semantics = (s, i) => {
  readLinear(s, linearAddress(s, i, i.dst, 1, ACCESS.FETCH), 1, i.dst.stack);
  return nopRule(s, i);
};

/** INT3: #BP behind the instruction. */
const int3Rule: Semantics = (s, i) => {
  throw trap(nopRule(s, i), VECTOR.BP, null);
};

/** INT1: descriptor privilege levels do not count for it, and DR6 is left alone. */
const int1Rule: Semantics = (s, i) => {
  throw softwareInterrupt(nopRule(s, i), VECTOR.DB, 'x86/int1-guest');
};

/** SMSW. descriptor/told-smsw: Xen's own CR0, with TS as the processor has it. */
const smswRule: Semantics = (s, i) => {
  const { cr0, fpuAside } = s.system;
  return finish(citing(s, 'descriptor/told-smsw'), i, i.dst, new Word(0, fpuAside ? cr0 | CR0.TS : cr0));
};

const sidtRule: Semantics = (s, i) => {
  if (s.system.idtr === UNKNOWN_TABLE) throw new NotModelled('instruction/sidt');
  return sidt(s, i);
};

/** Vectors whose gates in Xen's descriptor table ring 3 may use as exceptions: #BP and #OF. */
const TRAPS: readonly number[] = [VECTOR.BP, VECTOR.OF];
/** The one vector that Xen routes to a PV guest's trap table by itself. */
const LEGACY_SYSCALL = 0x80;

/** INT n: x86/int-gate. */
const intRule: Semantics = (s, i) => {
  const vector = i.dst.value.lo;
  if (TRAPS.includes(vector)) throw trap(nopRule(s, i), vector, 'x86/int-gate');
  if (vector === LEGACY_SYSCALL) throw softwareInterrupt(nopRule(s, i), vector, 'x86/int-gate');
  // compat/call-int: the gate of ring 1, for kernels of 32-bit domains.
  if (vector === HYPERCALL_VECTOR && s.system.cpl === 1) throw softwareInterrupt(nopRule(s, i), vector, 'x86/int-gate');
  throw generalProtection(vector * 8 + 2, 'x86/int-gate');
};

/** SYSCALL: RCX ← the address behind it, R11 ← RFLAGS; the rest is Xen's, and the run ends here (step.ts). */
const syscallRule: Semantics = (s, i) => {
  const regs = bothReplaced(s, RCX, nextRip(s, i), R11, new Word(0, s.flags & ~RF));
  return advance(s, i, regs, s.flags, s.memory);
};

/** CPUID: the leaf EAX, subleaf ECX of the machine's table. x86/cpuid-absent: a leaf that the table lacks reads as zeros. */
const cpuidRule: Semantics = (s, i) => {
  const [leaf, subleaf] = [s.regs[RAX].lo >>> 0, s.regs[RCX].lo >>> 0];
  const found = s.platform.cpuid.find((row) => row.leaf >>> 0 === leaf && (row.subleaf === null || row.subleaf === subleaf));
  const regs = s.regs.slice();
  regs[RAX] = new Word(0, (found?.eax ?? 0) | 0);
  regs[RBX] = new Word(0, (found?.ebx ?? 0) | 0);
  regs[RCX] = new Word(0, (found?.ecx ?? 0) | (leaf === FEATURES ? osxsave(s) : 0));
  regs[RDX] = new Word(0, (found?.edx ?? 0) | 0);
  const told = leaf === FEATURES && s.system.kind === 'bare' ? citing(s, 'x86/cpuid-osxsave') : s;
  return advance(found ? told : citing(s, 'x86/cpuid-absent'), i, regs, s.flags, s.memory);
};

const FEATURES = 1;
/** x86/cpuid-osxsave: one bit of leaf 1 shows CR4. */
const osxsave = ({ system: { kind, cr4 } }: Running): number => (kind === 'bare' && (cr4 & CR4.OSXSAVE) !== 0 ? 1 << 27 : 0);

/** RDTSC: EDX:EAX ← the time-stamp counter (looseness open/tsc-rate). */
const rdtscRule: Semantics = (s, i) => {
  requireCounter(s);
  return advance(s, i, withCounter(s), s.flags, s.memory);
};

/** With CR4.TSD the counter is not for ring 3. */
const requireCounter = ({ system: { cr4 } }: Running): void => {
  if ((cr4 & CR4.TSD) !== 0) throw generalProtection(0, 'x86/privileged');
};

/** RDTSCP: as RDTSC, and ECX ← TSC_AUX. */
const rdtscpRule: Semantics = (s, i) => {
  requireCounter(s);
  return advance(s, i, setReg(withCounter(s), RCX, s.system.msrs.get(TSC_AUX) ?? ZERO), s.flags, s.memory);
};
const TSC_AUX = 0xc0000103;

const withCounter = (s: Running): readonly Word[] => {
  const { hi, lo } = addInt(s.platform.tsc, s.tick);
  return setReg(setReg(s.regs, RAX, new Word(0, lo)), RDX, new Word(0, hi));
};

export const GUEST_RULES: Rules = {
  int1: int1Rule,
  int3: int3Rule,
  smsw: smswRule,
  sidt: sidtRule,
  int: intRule,
  syscall: syscallRule,
  clac: undefinedRule,
  stac: undefinedRule,
  ud0: undefinedRule,
  ud1: undefinedRule,
  ud2: undefinedRule,
  invalid: undefinedRule,
  cpuid: cpuidRule,
  rdtsc: rdtscRule,
  rdtscp: rdtscpRule,
  nop: nopRule,
  pause: nopRule,
  prefetch: nopRule,
  fwait: nopRule,
  lfence: nopRule,
  mfence: nopRule,
  sfence: nopRule,
  clflush: clflushRule,
  clflushopt: clflushRule,
  clwb: clflushRule,
  cli: privilegedRule,
  sti: privilegedRule,
  hlt: privilegedRule,
  in: privilegedRule,
  out: privilegedRule,
  mov_from_cr: privilegedRule,
  mov_to_cr: privilegedRule,
  mov_from_dr: privilegedRule,
  mov_to_dr: privilegedRule,
  wrmsr: privilegedRule,
  rdmsr: privilegedRule,
  rdpmc: privilegedRule,
  clts: privilegedRule,
  invd: privilegedRule,
  wbinvd: privilegedRule,
  sysret: privilegedRule,
  lgdt: privilegedRule,
  lidt: privilegedRule,
  lmsw: privilegedRule,
  invlpg: privilegedRule,
  swapgs: privilegedRule,
  xsetbv: privilegedRule,
  lldt: privilegedRule,
  ltr: privilegedRule,
};
