/** How a hypervisor goes back to ring 3, and what it loads on a guest's behalf. While Xen holds the vCPU, RIP is an offset in CS. */
import { GDT_LIMIT, XEN_IDT, XEN_LDT, XEN_TSS } from '#spec/abi/descriptor.ts';
import { FLAT } from '#spec/abi/xen.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { CS, RSP, SS_REG } from './interface.ts';
import { CPL, DEBUG, GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS } from './layout.ts';
import { BIG, RING3_CODE32, RING3_CODE64, RING3_DATA } from './segment_rights.ts';
import { checkOffset, returnCode, setCode } from './system/code.ts';
import { hasBreakpoints } from './system/debug.ts';
import {
  baseOf,
  find,
  isNull,
  LDTR,
  limitOf,
  markAccessed,
  rightsOf,
  rpl,
  setHidden,
  setNull,
  setSegment,
  TR,
} from './system/descriptor.ts';
import { returnStack } from './system/far.ts';
import { checkData, dropPrivileged, loadSegment } from './system/segments.ts';

/** Where Xen maps the GDT of a domain's first vCPU, and how far apart those of others lie. */
const GDT_BASE = 0xffff820000000000n;
const GDT_STRIDE = 0x20000n;

const isFlat = ({ s }: Cpu, segment: number, rights: number): boolean =>
  s[SEGMENT_RIGHTS + segment] === rights && s[SEGMENT_LIMIT + segment] === -1 && s[SEGMENT_BASE + 2 * segment] === 0;

/** CS and SS as SYSRET leaves them, without a look at any descriptor; `long`: 64-bit code, else RIP keeps 32 bits. */
const enterBySysret = (c: Cpu, long: boolean): void => {
  const code = long ? RING3_CODE64 : RING3_CODE32;
  c.selectors[CS] = long ? FLAT.RING3_CS64 : FLAT.RING3_CS32;
  c.selectors[SS_REG] = FLAT.RING3_SS64;
  if (!long) c.setRipHalves(c.ripLo(), 0);
  if (isFlat(c, CS, code) && isFlat(c, SS_REG, RING3_DATA)) return;
  setHidden(c, CS, c.selectors[CS], 0n, -1, code);
  setHidden(c, SS_REG, c.selectors[SS_REG], 0n, -1, RING3_DATA);
  c.refresh();
};

/** IRET of ring 0 to these selectors and RIP. Throws the fault; nothing has changed then but what marks descriptors accessed. */
const enterByIret = (c: Cpu, cs: number, ss: number): void => {
  const ip = c.rip;
  const ring = rpl(cs);
  const code = returnCode(c, cs);
  const stack = returnStack(c, ss, ring, code);
  checkOffset(c, code, ip);
  if (stack !== null) {
    markAccessed(c, stack);
    setSegment(c, SS_REG, ss, stack);
  }
  markAccessed(c, code);
  setCode(c, cs, code, ring, ip);
  dropPrivileged(c, ring);
  if (c.mode !== '64' && (c.s[SEGMENT_RIGHTS + SS_REG] & BIG) !== 0) c.setGprHalves(RSP, c.gprLo(RSP), 0);
};

/** A load of a data segment register that becomes null when it faults. False: it did. */
const loadOrNull = (c: Cpu, segment: number, selector: number, ring: number): boolean => {
  const { shadow } = c;
  const cpl = c.s[CPL];
  c.s[CPL] = ring;
  const loads = c.attempt(() => loadSegment(c, segment, selector));
  c.shadow = shadow;
  c.s[CPL] = cpl;
  if (!loads) setNull(c, segment, 0);
  return loads;
};

/** Base, limit and rights of a selector that is not loaded, as Xen's emulator looks at it; null when there is no descriptor. */
export type Described = { readonly base: number; readonly limit: number; readonly rights: number };
const describe = (c: Cpu, selector: number): Described | null => {
  let found: Described | null = null;
  c.attempt(() => {
    const d = selector < 4 ? null : find(c, selector);
    if (d !== null) found = { base: Number(BigInt.asIntN(32, baseOf(d))), limit: limitOf(d), rights: rightsOf(d) };
  });
  return found;
};

/** Let instructions be fetched by a code selector that was not loaded, as Xen's emulator does. False when it names no code that is present. */
const adoptCode = (c: Cpu, selector: number): boolean => {
  let found = false;
  c.attempt(() => {
    const d = selector < 4 ? null : find(c, selector);
    const PRESENT_CODE = 0x9800;
    if (d === null || (d.hi & PRESENT_CODE) !== PRESENT_CODE) return;
    setSegment(c, CS, selector, d);
    c.refresh();
    found = true;
  });
  return found;
};

/** What a hypervisor does to the processor of a guest that it holds. */
export class XenSide {
  private readonly c: Cpu;

  constructor(c: Cpu) {
    this.c = c;
  }

  /** CS and SS as SYSRET loads them, to 64-bit code (`long`) or to 32-bit code, where RIP keeps 32 bits. */
  enterBySysret(long: boolean): void {
    enterBySysret(this.c, long);
  }

  /** IRET of ring 0 to these selectors and to RIP as an offset in CS. False: it faults (`Cpu.faultVector` …), and nothing has changed. */
  enterByIret(cs: number, ss: number): boolean {
    const { c } = this;
    const ring = c.s[CPL];
    c.s[CPL] = 0;
    const entered = c.attempt(() => enterByIret(c, cs, ss));
    if (entered) c.refresh();
    else c.s[CPL] = ring;
    return entered;
  }

  /** Load DS, ES, FS or GS with its hidden part, as code of `ring` would; false when that faults and null was loaded instead. */
  loadOrNull(segment: number, selector: number, ring = 3): boolean {
    return loadOrNull(this.c, segment, selector, ring);
  }

  /** Base of what a data segment register loads in ring 0 by this selector; -1 when it does not load. Null has base 0. */
  dataBase(selector: number): number {
    const { c } = this;
    if (isNull(selector)) return 0;
    let base = -1;
    c.attempt(() => {
      const d = checkData(c, selector, 0, GP, 0);
      markAccessed(c, d);
      base = Number(BigInt.asUintN(32, baseOf(d)));
    });
    return base;
  }

  /** What a selector leads to, without loading it; null: nothing that could be read. */
  describe(selector: number): Described | null {
    return describe(this.c, selector);
  }

  /** From now on instructions are fetched by this code selector, unchecked. False when it names no code that is present. */
  adoptCode(selector: number): boolean {
    return adoptCode(this.c, selector);
  }

  /** From now on instructions are fetched as flat 64-bit code, wherever CS may lead: RIP, an offset until now, is the address. */
  takeFor64BitCode(): void {
    setHidden(this.c, CS, this.c.selectors[CS], 0n, -1, RING3_CODE64);
    this.c.refresh();
  }

  /** The same as flat 32-bit code. */
  takeFor32BitCode(): void {
    setHidden(this.c, CS, this.c.selectors[CS], 0n, -1, RING3_CODE32);
    this.c.refresh();
  }

  /** The tables' places as SGDT, SLDT and STR tell them: those of vCPU `id`, which has an LDT or not. */
  showTables(id: number, hasLdt: boolean): void {
    const { c } = this;
    c.setPair(GDTR_BASE, GDT_BASE + GDT_STRIDE * BigInt(id));
    c.s[GDTR_LIMIT] = GDT_LIMIT;
    c.selectors[TR] = XEN_TSS;
    c.selectors[LDTR] = hasLdt ? XEN_LDT : 0;
  }

  /** Where SIDT finds Xen's interrupt table on pCPU `cpu`; of most nothing is known. */
  showInterrupts(cpu: number): void {
    const { c } = this;
    c.setPair(IDTR_BASE, XEN_IDT.base);
    c.s[IDTR_LIMIT] = cpu === 0 ? XEN_IDT.limit : 0;
  }

  /** The guest's own CR0.TS. */
  setTaskSwitched(set: boolean): void {
    this.c.guestTaskSwitched = set;
    this.c.taskSwitched = set || !this.c.fpuLoaded;
  }

  /** The guest's x87, MMX and SSE registers are in the processor, or were put away: then its next instruction that uses them brings them back. */
  setFpuLoaded(loaded: boolean): void {
    this.c.fpuLoaded = loaded;
    this.c.taskSwitched = this.c.guestTaskSwitched || !loaded;
  }

  /** Breakpoints of the processor's: DR0 to DR3 by halves, DR7. */
  setBreakpoints(addresses: Int32Array, control: number): void {
    const { c } = this;
    c.s.set(addresses.subarray(0, 8), DEBUG);
    c.s[DEBUG + 14] = control;
    c.breaking = hasBreakpoints(c);
    c.refresh();
  }
}
