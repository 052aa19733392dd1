/** What is looked at before an instruction's rule, from the columns of its row: the same for all instructions. */
import { NotModelled } from '#spec/failure.ts';
import type { Row, RowState } from '#spec/isa/x86/row.ts';
import { requireAligned } from './alignment.ts';
import { requireCanonical } from './canonical.ts';
import { deviceNotAvailable, FpuWanted, floatingPointError, generalProtection, undefinedOpcode } from './fault.ts';
import type { Instruction, Operand } from './instruction.ts';
import { effectiveAddress, linearAddress } from './operand.ts';
import type { Running, Semantics } from './running.ts';
import { uncheckedLinear } from './segmentation.ts';
import { hasFeature } from './system/features.ts';
import { CR0, CR4 } from './system/state.ts';

type Check = (s: Running, i: Instruction) => void;

/** The rule behind the checks that its row asks for: #UD first, then #NM, #MF, #GP. */
export const guarded = (row: Row, rule: Semantics): Semantics => {
  const checks = checksOf(row);
  if (checks.length === 0) return rule;
  return (s, i) => {
    for (const check of checks) check(s, i);
    return rule(s, i);
  };
};

const checksOf = (row: Row): readonly Check[] => [
  ...absenceOf(row),
  ...(row.protected || row.vex ? [requireProtected] : []),
  ...(row.state ? [requireFpu, STATE[row.state]] : []),
  ...privilegeOf(row),
  ...(row.align ? [requireMultiple(row.align)] : []),
];

/** Instructions that a processor may lack though it runs a PV guest. */
const LACKING = ['rdpid', 'xsaveopt', 'xsavec', 'xsaves'] as const;

/** x86/feature-absent. */
const absenceOf = (row: Row): readonly Check[] => {
  const feature = LACKING.find((name) => name === row.feature);
  if (!feature) return [];
  return [
    ({ system: { kind }, platform }) => {
      if (kind === 'pv' && !hasFeature(platform, feature)) throw undefinedOpcode('x86/feature-absent');
    },
  ];
};

/** trap/fpu-loaded. */
const requireFpu: Check = ({ system: { kind, fpuAside } }, { row }) => {
  if (fpuAside && kind === 'pv' && !row.privileged) throw new FpuWanted();
};

const privilegeOf = ({ privileged, iopl, mnemonic }: Row): readonly Check[] => {
  if (!privileged || iopl) return [];
  if (RING_0_ALONE.includes(mnemonic)) return [requireRing0ToExist];
  return [UNDEFINED_FIRST.includes(mnemonic) ? requireGuestPrivilege : requirePrivilege];
};

/** A PV guest never runs in ring 0. */
const requireRing0ToExist: Check = ({ system: { kind } }) => {
  if (kind === 'pv') throw undefinedOpcode('x86/monitor');
};

const requireProtected: Check = ({ system: { mode } }) => {
  if (mode === 'real' || mode === 'v86') throw undefinedOpcode('x86/mode-undefined');
};

/** Privileged instructions that may be #UD first: on the bare machine their rules look at CPL. */
const UNDEFINED_FIRST: readonly string[] = ['sysret', 'xsetbv'];
/** x86/monitor: these do not exist outside ring 0. */
const RING_0_ALONE: readonly string[] = ['monitor', 'mwait'];

const requireGuestPrivilege: Check = (s, i) => {
  if (s.system.kind === 'pv') requirePrivilege(s, i);
};

const requirePrivilege: Check = ({ system: { cpl } }) => {
  if (cpl !== 0) throw generalProtection(0, 'x86/privileged');
};

/**
 * x86/operand-aligned. Outside 64-bit mode it comes before the segment's checks, but for FXSAVE and FXRSTOR, which raise #AC in its place
 * for what is no multiple of 4.
 */
const requireMultiple =
  (bytes: number): Check =>
  (s, i) => {
    const o = memoryOperandOf(i);
    if (!o || (misalignedAllowed(s, i) && bytes === 16)) return;
    const fx = i.row.state === 'fx';
    if (fx || s.system.mode === '64') linearAddress(s, i, o, Math.max(o.bytes, 1));
    const at = uncheckedLinear(s, o.segment, effectiveAddress(s, i, o));
    if (fx && s.system.mode === '64') requireCanonical(at, o.stack);
    if (fx) requireAligned(s, at, 4, o.stack);
    if ((at.lo & (bytes - 1)) !== 0) throw generalProtection(0, 'x86/operand-aligned');
  };

/** AMD's MXCSR.MM: misaligned operands of SSE arithmetic, not of moves nor of FXSAVE and FXRSTOR. */
const MISALIGNED_MASK = 0x20000;
/** MOVSLDUP and MOVSHDUP rearrange: they count as computations. */
const PLAIN_MOVE = /^mov(?!s[lh]dup)/;
const misalignedAllowed = ({ fpu: { mxcsr } }: Running, { row, mnemonic }: Instruction): boolean =>
  (mxcsr & MISALIGNED_MASK) !== 0 && (row.state === 'sse' || row.state === 'mmx') && !PLAIN_MOVE.test(mnemonic);

const memoryOperandOf = ({ dst, src, third }: Instruction): Operand | undefined => [dst, src, third].find(({ kind }) => kind === 'mem');

const undefinedWhen = (condition: boolean): void => {
  if (condition) throw undefinedOpcode('x86/state-disabled');
};

const unavailableWhen = (condition: boolean): void => {
  if (condition) throw deviceNotAvailable();
};

/** Bit 7 of the status word: an exception that is not masked. */
const SUMMARY = 0x80;

const requireNothingPending = ({ fpu, system }: Running): void => {
  if ((fpu.status & SUMMARY) === 0) return;
  if ((system.cr0 & CR0.NE) === 0) throw new NotModelled('instruction/ferr');
  throw floatingPointError('x86/state-pending');
};

const STATE: Readonly<Record<RowState, Check>> = {
  x87: (s) => {
    unavailableWhen((s.system.cr0 & (CR0.EM | CR0.TS)) !== 0);
    requireNothingPending(s);
  },
  x87_nowait: ({ system: { cr0 } }) => unavailableWhen((cr0 & (CR0.EM | CR0.TS)) !== 0),
  wait: (s) => {
    unavailableWhen((s.system.cr0 & (CR0.MP | CR0.TS)) === (CR0.MP | CR0.TS));
    requireNothingPending(s);
  },
  mmx: (s) => {
    undefinedWhen((s.system.cr0 & CR0.EM) !== 0);
    unavailableWhen((s.system.cr0 & CR0.TS) !== 0);
    requireNothingPending(s);
  },
  sse: ({ system: { cr0, cr4 } }) => {
    undefinedWhen((cr0 & CR0.EM) !== 0 || (cr4 & CR4.OSFXSR) === 0);
    unavailableWhen((cr0 & CR0.TS) !== 0);
  },
  fx: ({ system: { cr0 } }) => unavailableWhen((cr0 & (CR0.EM | CR0.TS)) !== 0),
  xsave: ({ system: { kind, cr0, cr4 } }, { row }) => {
    if (kind === 'pv' && row.privileged) return;
    undefinedWhen((cr4 & CR4.OSXSAVE) === 0);
    unavailableWhen((cr0 & CR0.TS) !== 0);
  },
};
