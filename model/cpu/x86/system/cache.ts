/** INVD WBINVD INVLPG INVPCID MONITOR MWAIT SWAPGS: translations and caches are not kept, so that most do nothing. */
import { CR4 } from '#spec/isa/x86/control_registers.ts';
import { isCanonical } from '../../../memory/translate.ts';
import { isZero, type Word } from '../../../word/word.ts';
import { readPair } from '../block.ts';
import { type Exit, generalProtection, undefinedOpcode } from '../fault.ts';
import { readLinear } from '../linear.ts';
import { cutAddress } from '../operand.ts';
import { completed, type Running, type Semantics, withFlags } from '../running.ts';
import { segmented } from '../segmentation.ts';
import { RAX, RCX, SS } from '../state.ts';
import { wide } from './control.ts';
import { hasFeature } from './features.ts';
import { heldMsr, withHeld } from './msr.ts';

/** What is done shows nowhere. */
export const unseen: Semantics = (s, i) => withFlags(s, i, s.flags);

const refused = (): Exit => generalProtection(0, 'x86/invpcid-type');
const INDIVIDUAL = 0;
const SINGLE = 1;
const LAST_TYPE = 3;

/** INVPCID: x86/invpcid-type. */
export const invpcid: Semantics = (s, i) => {
  const type = wide(s, s.regs[i.dst.index]);
  const { lo: pcid, hi: address } = readPair(s, i, i.src);
  if (type.hi !== 0 || type.lo >>> 0 > LAST_TYPE || pcid.hi !== 0 || (pcid.lo & ~0xfff) !== 0) throw refused();
  if (type.lo === INDIVIDUAL && !isCanonical(address)) throw refused();
  if (type.lo <= SINGLE && !isZero(pcid) && (s.system.cr4 & CR4.PCIDE) === 0) throw refused();
  return unseen(s, i);
};

/** x86/monitor. */
const requireMonitor = (s: Running): void => {
  if (!hasFeature(s.platform, 'monitor') || s.system.cpl !== 0) throw undefinedOpcode('x86/monitor');
};

/** MONITOR: extensions in ECX do not exist. The address is judged as that of a byte which is read. */
export const monitor: Semantics = (s, i) => {
  requireMonitor(s);
  if (s.regs[RCX].lo !== 0) throw generalProtection(0, 'x86/monitor');
  readLinear(s, segmented(s, i.segment, cutAddress(s.regs[RAX], i.addressSize), 1), 1, i.segment === SS);
  return unseen(s, i);
};

export const mwait: Semantics = (s, i) => {
  requireMonitor(s);
  return unseen(s, i);
};

const KERNEL_GS_BASE = 0xc0000102;

/** SWAPGS: the base of GS and KERNEL_GS_BASE change places. */
export const swapgs: Semantics = (s, i) => {
  const other: Word = heldMsr(s, KERNEL_GS_BASE);
  const { system }: Running = withHeld(s, KERNEL_GS_BASE, s.segments.gsBase);
  return completed(s, i, { system, segments: { ...s.segments, gsBase: other } });
};
