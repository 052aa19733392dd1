/**
 * Exception handlers of a bare image: for each vector a stub that pushes its number, for each width one routine that writes down what
 * it finds and goes back to the harness in flat 32-bit code without paging.
 */
import { type Emitter, R, SEG } from './emitter.ts';
import { KIND, RECORD_FIELDS, recordAt, SEL, STACKS, VECTORS } from './layout.ts';

const EFER = 0xc0000080;
const stub = (bits: number, vector: number): string => `stub${bits}_${vector}`;
/** Address of a vector's stub in an emitter that `emitHandlers` has filled. */
export const stubAddress = (e: Emitter, bits: 16 | 32 | 64, vector: number): number => e.at(stub(bits, vector));

export const emitHandlers = (e: Emitter): void => {
  for (const bits of [16, 32, 64] as const) {
    e.bits = bits;
    for (let vector = 0; vector < VECTORS; vector++) e.label(stub(bits, vector)).db(0x6a, vector).jmp(`common${bits}`);
  }
  emit16(e);
  emit32(e);
  emit64(e);
  emitTask(e);
};

/** POP to memory of the code's size; `wide`: 32 bits in 16-bit code. */
const pop = (e: Emitter, address: number, wide = false): Emitter => e.mem(wide && e.bits === 16 ? [0x66, 0x8f] : [0x8f], 0, address);

const frameField = (i: number) => recordAt(RECORD_FIELDS[RECORD_FIELDS.indexOf('f0') + i]);
const gprField = (i: number) => recordAt(RECORD_FIELDS[RECORD_FIELDS.indexOf('rax') + i]);
const FRAME_WORDS = 10;

const selectors = (e: Emitter): void => {
  e.storeSeg(recordAt('es_ds'), SEG.es);
  e.storeSeg(recordAt('fs_gs'), SEG.fs).storeSeg(recordAt('fs_gs') + 4, SEG.gs);
  e.storeSeg(recordAt('cs_ss'), SEG.cs).storeSeg(recordAt('cs_ss') + 4, SEG.ss);
};

/** Registers that 16- and 32-bit code reads alike, EAX being free. */
const systemRegisters = (e: Emitter): void => {
  for (const [cr, field] of [
    [0, 'cr0'],
    [2, 'cr2'],
    [3, 'cr3'],
    [4, 'cr4'],
  ] as const)
    e.fromCr(cr).store(recordAt(field), R.ax);
  e.fromDr(6).store(recordAt('dr6'), R.ax).fromDr(7).store(recordAt('dr7'), R.ax);
  e.movImm(R.cx, EFER).db(0x0f, 0x32).store(recordAt('efer'), R.ax);
};

const kind = (e: Emitter, value: number): Emitter => e.movImm(R.ax, value).store(recordAt('kind'), R.ax);

/** The same in real mode and in protected mode: the stub has pushed the vector. */
const legacyCommon = (e: Emitter, value: number, data: number): void => {
  // PUSHF, PUSH EAX, PUSH DS; then DS reaches the record.
  if (e.bits === 16) e.db(0x9c, 0x66, 0x50, 0x1e, 0x31, 0xc0).movToSeg(SEG.ds, R.ax);
  else e.db(0x9c, 0x50, 0x1e).movImm(R.ax, data).movToSeg(SEG.ds, R.ax);
  for (let reg = 1; reg < 8; reg++) if (reg !== R.sp) e.store(gprField(reg), reg);
  pop(e, recordAt('es_ds') + 4);
  pop(e, gprField(0), true);
  pop(e, recordAt('flags'));
  pop(e, recordAt('vector'));
  e.store(gprField(R.sp), R.sp);
  for (let i = 0; i < FRAME_WORDS; i++) pop(e, frameField(i));
  selectors(e);
  kind(e, value);
  systemRegisters(e);
};

const emit16 = (e: Emitter): void => {
  e.bits = 16;
  e.label('common16');
  legacyCommon(e, KIND.real, 0);
  e.fromCr(0).db(0x66, 0x83, 0xc8, 0x01).toCr(0).mem([0x66, 0x0f, 0x01], 2, 'flatGdtr').farJmpOther(SEL.code32, 'back32');
};

const emit32 = (e: Emitter): void => {
  e.bits = 32;
  e.label('common32');
  legacyCommon(e, KIND.legacy, SEL.data);
  e.mem([0x0f, 0x00], 0, recordAt('ldtr_tr')).mem([0x0f, 0x00], 1, recordAt('ldtr_tr') + 4);
  // Here every way back to the harness meets: a flat stack, no paging, no long mode.
  e.label('back32').movImm(R.ax, SEL.data).movToSeg(SEG.ss, R.ax).movToSeg(SEG.ds, R.ax).movToSeg(SEG.es, R.ax);
  // PUSH 2, POPF: a task may have left NT.
  e.movImm(R.sp, STACKS.base).db(0x6a, 0x02, 0x9d).movImm(R.ax, 0x11).toCr(0);
  e.movImm(R.cx, EFER).movImm(R.ax, 0).movImm(R.dx, 0).db(0x0f, 0x30).toCr(4).toCr(3);
  e.db(0x31, 0xd2, 0x0f, 0x23, 0xfa).jmp('after');
};

const emit64 = (e: Emitter): void => {
  e.bits = 64;
  e.label('common64');
  // PUSHFQ, PUSH RAX.
  e.db(0x9c, 0x50);
  for (let reg = 1; reg < 16; reg++) if (reg !== R.sp) e.mem64([0x89], reg, gprField(reg));
  pop(e, gprField(0));
  pop(e, recordAt('flags'));
  pop(e, recordAt('vector'));
  e.mem64([0x89], R.sp, gprField(R.sp));
  for (let i = 0; i < 7; i++) pop(e, frameField(i));
  selectors(e);
  e.storeSeg(recordAt('es_ds') + 4, SEG.ds);
  e.mem([0x0f, 0x00], 0, recordAt('ldtr_tr')).mem([0x0f, 0x00], 1, recordAt('ldtr_tr') + 4);
  for (const [cr, field] of [
    [0, 'cr0'],
    [2, 'cr2'],
    [3, 'cr3'],
    [4, 'cr4'],
  ] as const)
    e.fromCr(cr).mem64([0x89], R.ax, recordAt(field));
  e.db(0x44, 0x0f, 0x20, 0xc0).mem64([0x89], R.ax, recordAt('cr8'));
  e.fromDr(6).mem64([0x89], R.ax, recordAt('dr6')).fromDr(7).mem64([0x89], R.ax, recordAt('dr7'));
  for (const [msr, field] of [
    [EFER, 'efer'],
    [0xc0000100, 'fs_base'],
    [0xc0000101, 'gs_base'],
    [0xc0000102, 'kernel_gs_base'],
  ] as const)
    e.movImm(R.cx, msr)
      .db(0x0f, 0x32)
      .store(recordAt(field), R.ax)
      .store(recordAt(field) + 4, R.dx);
  kind(e, KIND.long);
  // CR8 := 0; CR4 without PCIDE, which paging may not be left with; then PUSH selector and offset, and a RETF of 64 bits to compatibility mode.
  e.db(0x31, 0xc0, 0x44, 0x0f, 0x22, 0xc0).movImm(R.ax, 0x20).toCr(4);
  e.movImm(R.sp, STACKS.base).db(0x6a, SEL.code32, 0x68).dd('backLong').db(0x48, 0xcb);
  e.bits = 32;
  e.label('backLong').fromCr(0).db(0x25).dd(0x7fffffff).toCr(0).jmp('back32');
};

/** The double fault's task in protected mode: the processor has written the registers of what it left into the old TSS. */
const emitTask = (e: Emitter): void => {
  e.bits = 32;
  e.label('taskDf').db(0x9c);
  pop(e, recordAt('flags'));
  pop(e, frameField(0));
  e.movImm(R.ax, 8).store(recordAt('vector'), R.ax);
  selectors(e);
  e.mem([0x0f, 0x00], 0, recordAt('ldtr_tr')).mem([0x0f, 0x00], 1, recordAt('ldtr_tr') + 4);
  kind(e, KIND.task);
  systemRegisters(e);
  e.jmp('back32');
};
