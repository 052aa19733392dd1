/** A pCPU takes over a vCPU: its data segment registers are loaded anew. Those that no longer load become null, and the guest kernel is told. */
import { FLAT, VMASST_TYPE } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DS, ES, FS, GS, R11, RCX, RSP } from '../cpu/interface.ts';
import { enterCompatFailsafe } from './compat/failsafe.ts';
import { putGuest } from './guest_access.ts';
import type { Machine } from './machine.ts';
import { domainCrash } from './shutdown.ts';
import { enterXen } from './trap/exit_state.ts';
import { toggleGuestMode } from './trap/guest_mode.ts';
import { isCanonical } from './u64.ts';
import type { Vcpu } from './vcpu.ts';
import { setUpcallMask, upcallMask } from './vcpu_info.ts';

const CLEARED = RFLAGS.AC | RFLAGS.VM | RFLAGS.RF | RFLAGS.NT | RFLAGS.IOPL | RFLAGS.TF;
/** In the order in which Xen loads them. */
const LOADED = [FS, GS, DS, ES] as const;

/** The bases of FS and GS stay what they were, but for 32-bit guests. */
export const loadSegments = (machine: Machine, vcpu: Vcpu): void => {
  const { cpu } = vcpu;
  enterXen(vcpu, false);
  const { fsBase, gsBase } = cpu;
  const before = [GS, FS, ES, DS].map((segment) => cpu.selector(segment));
  let allLoad = true;
  const ring = vcpu.domain.compat ? 0 : 3;
  for (const segment of LOADED) if (!cpu.xen.loadOrNull(segment, cpu.selector(segment), ring)) allLoad = false;
  if (vcpu.domain.compat) {
    if (!allLoad) enterCompatFailsafe(machine, vcpu, before);
    return;
  }
  cpu.fsBase = fsBase;
  cpu.gsBase = gsBase;
  if (!allLoad) enterFailsafe(machine, vcpu, before);
};

/** From the bottom: RCX, R11, DS, ES, FS, GS, RIP, CS and the upcall mask, RFLAGS, RSP, SS. What can be stored is, when a word cannot. */
const enterFailsafe = (machine: Machine, vcpu: Vcpu, selectors: readonly number[]): void => {
  const { cpu, domain, savedFlags } = vcpu;
  const [oldLo, oldHi] = [cpu.gprLo(RSP), cpu.gprHi(RSP)];
  const [lo, hi] = vcpu.kernelMode ? [oldLo & ~15, oldHi] : [vcpu.kernelSp.lo & ~15, vcpu.kernelSp.hi];
  const mask = upcallMask(machine, vcpu);
  const iopl = (domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0 ? vcpu.iopl << 12 : 0;
  const flags = (savedFlags.lo & ~(RFLAGS.IF | RFLAGS.IOPL)) | (mask === 0 ? RFLAGS.IF : 0) | iopl;
  const cs = vcpu.kernelMode ? vcpu.savedCs & ~3 : vcpu.savedCs;
  if (!vcpu.kernelMode) toggleGuestMode(machine, vcpu);
  const words: readonly (readonly [number, number])[] = [
    [vcpu.savedSs, 0],
    [oldLo, oldHi],
    [flags, savedFlags.hi],
    [cs, mask],
    [cpu.ripLo(), cpu.ripHi()],
    ...selectors.map((selector) => [selector, 0] as const),
    [cpu.gprLo(R11), cpu.gprHi(R11)],
    [cpu.gprLo(RCX), cpu.gprHi(RCX)],
  ];
  let stored = true;
  words.forEach(([valueLo, valueHi], i) => {
    const [at, atHi] = below(lo, hi, 8 * (i + 1));
    if (!isCanonical(atHi) || !putGuest(machine, vcpu, at, atHi, 8, valueLo, valueHi)) stored = false;
  });
  if (vcpu.failsafeDisablesEvents) setUpcallMask(machine, vcpu, 1);
  vcpu.exitBySysret = true;
  savedFlags.lo &= ~CLEARED;
  vcpu.savedCs = FLAT.RING3_CS64;
  vcpu.savedSs = FLAT.RING3_SS64;
  cpu.setGprHalves(RSP, ...below(lo, hi, 8 * words.length));
  cpu.setRipHalves(vcpu.failsafeCallback.lo, vcpu.failsafeCallback.hi);
  if (stored) machine.emit({ kind: 'callback', at: vcpu.ref, which: 'failsafe' });
  else domainCrash(machine, domain, 'iret-failsafe');
};

const below = (lo: number, hi: number, bytes: number): readonly [number, number] => [
  (lo - bytes) | 0,
  lo >>> 0 < bytes ? (hi - 1) | 0 : hi,
];
