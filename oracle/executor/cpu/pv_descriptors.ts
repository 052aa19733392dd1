/** Descriptors of a PV guest's processor: in pages of the guest's, and in the one behind them that Xen keeps. */
import { GDT_LIMIT, XEN_GDT_FIRST } from '#spec/abi/descriptor.ts';
import { isCanonical } from './canonical.ts';
import type { Cpu } from './cpu.ts';
import { GP, PF } from './exit.ts';
import type { Descriptor } from './system/descriptor.ts';

const PAGE = 4096;
const IN_LDT = 4;
/** `at` of a descriptor that lies nowhere the guest could see. */
const NOWHERE = -1n;

const index = (selector: number): number => selector & 0xfff8;

/** Machine address of a descriptor in the guest's pages; 0: a page of zeros. The LDT's page is put in place, or its absence is the guest's fault. */
const locate = (c: Cpu, selector: number): number => {
  const { tables } = c;
  const offset = index(selector);
  const page = offset >>> 12;
  if ((selector & IN_LDT) === 0) return tables.gdt[page] * PAGE + (tables.gdt[page] === 0 ? 0 : offset & (PAGE - 1));
  if (tables.ldt[page] === 0 && !tables.mapLdtPage(page)) absent(c, selector);
  return tables.ldt[page] * PAGE + (offset & (PAGE - 1));
};

/** A page of the LDT that cannot be put in place: a page fault at the guest's own address of it. */
const absent = (c: Cpu, selector: number): never => {
  const { ldtLo, ldtHi } = c.tables;
  const lo = (ldtLo >>> 0) + index(selector);
  const hi = lo > 0xffffffff ? (ldtHi + 1) | 0 : ldtHi;
  if (!isCanonical(hi)) c.fault(GP, index(selector) | IN_LDT);
  return c.faultAt(PF, 0, lo | 0, hi);
};

const isBeyond = (c: Cpu, selector: number, bytes: number): boolean =>
  index(selector) + bytes > ((selector & IN_LDT) === 0 ? GDT_LIMIT + 1 : 8 * c.tables.ldtEntries);

/** The descriptor of a selector, or null when its table ends before. */
export const findPvDescriptor = (c: Cpu, selector: number, bytes: 8 | 16): Descriptor | null => {
  if (isBeyond(c, selector, bytes)) return null;
  const third = bytes === 16 ? readHalves(c, selector + 8) : EMPTY;
  const [lo, hi, at] = readHalves(c, selector);
  return { at, lo, hi, third: third[0], fourth: third[1] };
};

type Halves = readonly [number, number, bigint];
const EMPTY: Halves = [0, 0, NOWHERE];

const readHalves = (c: Cpu, selector: number): Halves => {
  if ((selector & IN_LDT) === 0 && index(selector) >= XEN_GDT_FIRST) {
    const known = c.tables.xenPage.get(index(selector));
    return known === undefined ? EMPTY : [known[0], known[1], NOWHERE];
  }
  const at = locate(c, selector);
  return at === 0 ? EMPTY : [c.dv.getInt32(at, true), c.dv.getInt32(at + 4, true), BigInt(at)];
};

/** Write a descriptor's byte of type and rights, as the processor does to mark it accessed. */
export const writePvType = (c: Cpu, d: Descriptor, byte: number): void => {
  if (d.at !== NOWHERE) c.memory.write8(Number(d.at) + 5, byte);
};
