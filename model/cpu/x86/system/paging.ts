/**
 * From linear addresses to frames on the machine without a hypervisor. What a walk found is remembered while it surely holds
 * (memory/newest.ts); remembering never shows.
 */
import { CR0 } from '#spec/isa/x86/control_registers.ts';
import { epochOf, learntFrom } from '../../../memory/newest.ts';
import { ACCESS, isCanonical } from '../../../memory/translate.ts';
import type { Word } from '../../../word/word.ts';
import { requireCanonical } from '../canonical.ts';
import { generalProtection, Marked, pageFault } from '../fault.ts';
import { AC } from '../flags.ts';
import type { Running } from '../running.ts';
import { hasFeature, physicalWidth } from './features.ts';
import { isRam } from './physical.ts';
import type { SystemState } from './state.ts';
import { walkTables } from './walk.ts';

/** Registers that decide what a walk finds. Remembered translations belong to one setting of them. */
let setting: Pick<SystemState, 'cr0' | 'cr3' | 'cr4' | 'efer'> | null = null;
let settingNumber = 0;

const numberOf = (s: SystemState): number => {
  if (setting === null || setting.cr3 !== s.cr3 || setting.cr0 !== s.cr0 || setting.cr4 !== s.cr4 || setting.efer !== s.efer) {
    setting = s;
    settingNumber++;
  }
  return settingNumber;
};

const SLOTS = 1024;
const pageHi = new Int32Array(SLOTS);
const pageLo = new Int32Array(SLOTS);
const epochs = new Int32Array(SLOTS).fill(-1);
const settings = new Int32Array(SLOTS).fill(-1);
/** The kind of access: READ, WRITE or FETCH, with the right to user pages. */
const kinds = new Int32Array(SLOTS);
const frames = new Int32Array(SLOTS);

const USER = 1;
const MAY_USER = 8;

/**
 * The frame that holds a linear address, for an access of the current privilege level: 0, WRITE or FETCH (ACCESS); `~frame` where RAM
 * does not answer. Throws #PF, #GP or (`stack`) #SS, or Marked when accessed and dirty bits had to be set first.
 */
export const bareFrameFor = (s: Running, at: Word, access: number, stack: boolean): number => {
  if ((s.system.cr0 & CR0.PG) === 0) return told(s, at.lo >>> 12);
  const kind = access | (s.system.cpl === 3 ? USER : 0) | ((s.flags & AC) !== 0 ? MAY_USER : 0);
  const slot = ((at.lo >>> 12) ^ (at.hi << 3) ^ (kind << 5)) & (SLOTS - 1);
  if (
    pageLo[slot] === (at.lo & ~0xfff) &&
    pageHi[slot] === at.hi &&
    kinds[slot] === kind &&
    epochs[slot] === epochOf(s.memory) &&
    settings[slot] === numberOf(s.system)
  )
    return frames[slot];
  const frame = walkFor(s, at, access, stack);
  pageLo[slot] = at.lo & ~0xfff;
  pageHi[slot] = at.hi;
  kinds[slot] = kind;
  epochs[slot] = epochOf(s.memory);
  settings[slot] = numberOf(s.system);
  frames[slot] = frame;
  return frame;
};

/** No device and no RAM lies so high: beyond, all frames are alike. */
const HIGHEST = 0x7ffffffe;
const told = (s: Running, frame: number): number => (isRam(s.memory, frame) ? frame : ~Math.min(frame, HIGHEST));

const walkFor = (s: Running, at: Word, access: number, stack: boolean): number => {
  if (access !== ACCESS.FETCH) requireCanonical(at, stack);
  else if (!isCanonical(at)) throw generalProtection(0, 'x86/canonical-fetch');
  const asking = {
    system: s.system,
    user: s.system.cpl === 3,
    ac: (s.flags & AC) !== 0,
    width: physicalWidth(s.platform),
    page1gb: hasFeature(s.platform, 'page1gb'),
  };
  const found = walkTables(s.memory, asking, at, access);
  if (found.kind === 'fault') throw pageFault(found.error, at, found.clause);
  if (found.memory !== s.memory) throw new Marked(found.memory);
  epochOf(s.memory);
  for (const table of found.tables) if (isRam(s.memory, table)) learntFrom(table);
  return told(s, found.frame);
};
