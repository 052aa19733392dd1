/** The processor as an image finds it. Source: spec/bare/boot.ts. */
import { ENTRY, INFO, MULTIBOOT } from '#spec/bare/boot.ts';
import { DR6_RESET, DR7_RESET, XCR0_RESET } from '#spec/isa/x86/control_registers.ts';
import type { SegmentObservation } from '#spec/isa/x86/cpu_observation.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { CS, DS, ES, FS, GS, RAX, RBX, SS_REG } from '../cpu/interface.ts';
import { CPL, CR0, CR4, DEBUG, EFER, GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT, XCR0 } from '../cpu/layout.ts';
import { USABLE } from '../cpu/segment_rights.ts';
import { LDTR, setHidden, TR } from '../cpu/system/descriptor.ts';
import { resetMsrs } from '../cpu/system/msr.ts';
import type { Image } from './image.ts';

const setSegment = (c: Cpu, segment: number, { selector, base, limit, rights, usable }: SegmentObservation): void =>
  setHidden(c, segment, selector, BigInt(base), limit | 0, usable ? rights | USABLE : 0);

/** x87 and SSE state is as a processor's that was just made. */
export const enterImage = (c: Cpu, { protocol, entry }: Image): void => {
  const { s } = c;
  resetMsrs(c);
  s[CPL] = 0;
  s[CR0] = ENTRY.cr0;
  s[CR4] = ENTRY.cr4;
  s[EFER] = 0;
  s[XCR0] = XCR0_RESET;
  s[DEBUG + 2 * 6] = DR6_RESET | 0;
  s[DEBUG + 2 * 7] = DR7_RESET;
  c.rflags = BigInt(ENTRY.rflags);
  setSegment(c, CS, ENTRY.cs);
  for (const segment of [ES, SS_REG, DS, FS, GS]) setSegment(c, segment, ENTRY.data);
  setSegment(c, LDTR, ENTRY.ldtr);
  setSegment(c, TR, ENTRY.tr);
  c.setPair(GDTR_BASE, BigInt(ENTRY.gdtr.base));
  c.setPair(IDTR_BASE, BigInt(ENTRY.idtr.base));
  s[GDTR_LIMIT] = ENTRY.gdtr.limit;
  s[IDTR_LIMIT] = ENTRY.idtr.limit;
  if (protocol === 'multiboot') c.setGpr(RAX, BigInt(MULTIBOOT.LOADED_MAGIC));
  c.setGpr(RBX, BigInt(INFO.info));
  c.refresh();
  c.rip = BigInt(entry);
};
