/**
 * How a case begins: from flat 32-bit code without paging into the mode that it wants, all registers loaded, by IRET. Everything comes
 * from the STATE block, which the harness has filled.
 */
import { type Emitter, R, SEG } from './emitter.ts';
import { S, SEL } from './layout.ts';

const EFER = 0xc0000080;

/** Labels of the entry routines. */
export const ENTRIES = ['enter32', 'enter64', 'enterReal'] as const;
export type Entry = (typeof ENTRIES)[number];

export const emitEntries = (e: Emitter): void => {
  emitEnter32(e);
  emitEnter64(e);
  emitEnterReal(e);
};

/** CR4, CR3, EFER and the breakpoints; GDTR. In flat 32-bit code. */
const common = (e: Emitter): void => {
  e.bits = 32;
  e.load(R.ax, S.cr4).toCr(4).load(R.ax, S.cr3).toCr(3);
  e.movImm(R.cx, EFER).load(R.ax, S.efer).movImm(R.dx, 0).db(0x0f, 0x30);
  e.mem([0x0f, 0x01], 2, S.gdtr);
};

const breakpoints = (e: Emitter, wide: boolean): void => {
  for (const [i, dr] of [0, 1, 2, 3, 6].entries()) {
    if (dr === 6) continue;
    if (wide) e.mem64([0x8b], R.ax, S.dr + 8 * i);
    else e.load(R.ax, S.dr + 8 * i);
    e.toDr(dr);
  }
  // DR6 begins clear; DR7 comes last.
  if (wide)
    e.db(0x31, 0xc0)
      .toDr(6)
      .mem64([0x8b], R.ax, S.dr + 32)
      .toDr(7);
  else
    e.db(0x31, 0xc0)
      .toDr(6)
      .load(R.ax, S.dr + 32)
      .toDr(7);
};

const emitEnter32 = (e: Emitter): void => {
  e.label('enter32');
  common(e);
  e.load(R.ax, S.cr0).toCr(0).farJmp(SEL.code32, 'enter32b').label('enter32b');
  e.mem([0x0f, 0x00], 2, S.ldt);
  e.db(0x66, 0x83).db(0x3d).dd(S.tr).db(0).short(0x74, 'noTr').mem([0x0f, 0x00], 3, S.tr).label('noTr');
  breakpoints(e, false);
  e.mem([0x0f, 0x01], 3, S.idtr);
  // CMP byte [samering], 0: ZF decides behind POPAD and the POPs, which leave flags alone.
  e.db(0x80, 0x3d).dd(S.samering).db(0);
  e.movImm(R.sp, S.pops).db(0x61, 0x0f, 0xa9, 0x0f, 0xa1, 0x07, 0x1f).short(0x74, 'outer32');
  // CS: LSS ESP, [sp].
  e.mem([0x2e, 0x0f, 0xb2], R.sp, S.sp).label('outer32').db(0xcf);
};

const emitEnter64 = (e: Emitter): void => {
  e.label('enter64');
  common(e);
  e.load(R.ax, S.cr0).toCr(0).farJmp(SEL.code64, 'enter64b');
  e.bits = 64;
  e.label('enter64b');
  e.mem([0x0f, 0x00], 2, S.ldt).mem([0x0f, 0x00], 3, S.tr);
  breakpoints(e, true);
  e.mem([0x0f, 0x01], 3, S.idtr);
  e.mem64([0x8b], R.ax, S.cr8).db(0x44, 0x0f, 0x22, 0xc0);
  for (const [i, segment] of [SEG.gs, SEG.fs, SEG.es, SEG.ds].entries()) e.loadSeg(segment, S.segments + 4 * i);
  for (let reg = 0; reg < 16; reg++) if (reg !== R.sp) e.mem64([0x8b], reg, S.gpr64 + 8 * reg);
  e.movImm(R.sp, S.iret64).db(0x48, 0xcf);
};

const emitEnterReal = (e: Emitter): void => {
  e.label('enterReal');
  common(e);
  breakpoints(e, false);
  e.movImm(R.ax, SEL.data16);
  for (const segment of [SEG.es, SEG.ss, SEG.ds, SEG.fs, SEG.gs]) e.movToSeg(segment, R.ax);
  e.farJmpOther(SEL.code16, 'enterReal16');
  e.bits = 16;
  e.label('enterReal16').load(R.ax, S.cr0).toCr(0).farJmp(0, 'enterReal0').label('enterReal0');
  e.db(0x31, 0xc0);
  for (const segment of [SEG.ds, SEG.es, SEG.ss]) e.movToSeg(segment, R.ax);
  e.mem([0x66, 0x0f, 0x01], 3, S.idtr);
  // POPAD, the four segments two words apart, and the case's stack with an IRET frame of 16 bits.
  e.movImm(R.sp, S.pops).db(0x66, 0x61);
  for (const opcode of [[0x0f, 0xa9], [0x0f, 0xa1], [0x07], [0x1f]]) e.db(0x66, ...opcode);
  e.mem([0x2e, 0x66, 0x0f, 0xb2], R.sp, S.sp).db(0xcf);
};
