/** The harness of a bare image: takes case after case, and says by debugcon what came of each. Flat 32-bit code without paging. */
import { Emitter, R, SEG } from './emitter.ts';
import { emitEntries } from './entries.ts';
import { emitHandlers } from './handlers.ts';
import {
  CHANGES,
  EXIT_VALUE,
  FIRST_LINE,
  GDT,
  LAST_LINE,
  LOW,
  MOST_CHANGES,
  RECORD,
  RECORD_BYTES,
  RECORD_MARK,
  recordAt,
  SEL,
  STACKS,
  STATE,
  STATE_BYTES,
} from './layout.ts';

/** Words of a case's list of things to do, each before its two operands: 32-bit stores, a port's byte, an MSR. */
export const ACTION = { end: 0, store: 1, out: 2, msr: 3 } as const;

const DEBUGCON = 0xe9;
const DEBUG_EXIT = 0xf4;
const BOCHS_SHUTDOWN = 0x8900;
const GDT_LIMIT = 0x1ff;

/** Addresses above 1 MiB that the harness reads, set when the image is put together. */
export type DriverData = {
  /** Where the list of regions stands: bytes in memory, template, dwords; ends with a 0. */
  readonly regions: number;
  readonly cases: number;
};

/** The harness's code for address LOW; `data` may be zeros to learn its labels. */
export const emitDriver = (data: DriverData): Emitter => {
  const e = new Emitter(LOW);
  e.bits = 32;
  e.label('start').mem([0x0f, 0x01], 2, 'flatGdtr').farJmp(SEL.code32, 'flat').label('flat');
  e.movImm(R.ax, SEL.data);
  for (const segment of [SEG.ds, SEG.es, SEG.ss, SEG.fs, SEG.gs]) e.movToSeg(segment, R.ax);
  e.movImm(R.sp, STACKS.base).db(0x31, 0xc0).toCr(4);
  // No interrupt of the old controllers: their masks, both.
  e.movImm(R.ax, 0xff).db(0xe6, 0x21, 0xe6, 0xa1);
  say(e, FIRST_LINE, 'first');
  e.mem([0x0f, 0x01], 3, 'baseIdtr').movImm(R.ax, data.cases).store('nextCase', R.ax).jmp('next');
  emitNext(e, data);
  emitAfter(e, data);
  emitActions(e);
  emitVariables(e);
  emitEntries(e);
  emitHandlers(e);
  return e;
};

const say = (e: Emitter, text: string, label: string): void => {
  e.movImm(R.si, label).movImm(R.cx, text.length).movImm(R.dx, DEBUGCON).db(0xf3, 0x6e);
};

/** Takes the next case: id (0 ends the list), template of STATE, actions before, actions behind. */
const emitNext = (e: Emitter, data: DriverData): void => {
  e.label('next').db(0xfc).load(R.si, 'nextCase').db(0xad, 0x85, 0xc0).near(0x84, 'end').store('id', R.ax);
  e.db(0xad).store('template', R.ax).store('cursor', R.si);
  // Memory as every case finds it, then a clear record.
  e.movImm(R.si, data.regions).label('restore').db(0xad, 0x85, 0xc0).short(0x74, 'restored');
  e.db(0x89, 0xc7, 0xad, 0x89, 0xc3, 0xad, 0x89, 0xc1, 0x56, 0x89, 0xde, 0xf3, 0xa5, 0x5e).short(0xeb, 'restore').label('restored');
  e.movImm(R.di, RECORD)
    .movImm(R.cx, RECORD_BYTES / 4)
    .db(0x31, 0xc0, 0xf3, 0xab);
  e.load(R.ax, 'id').store(recordAt('id'), R.ax);
  e.movImm(R.ax, 0).db(0x0f, 0x22, 0xd0);
  e.load(R.si, 'template')
    .movImm(R.di, STATE)
    .movImm(R.cx, STATE_BYTES / 4)
    .db(0xf3, 0xa5);
  e.load(R.si, 'cursor').call('act').store('cursor', R.si);
  // JMP [enter].
  e.mem([0xff], 4, STATE);
};

/** Behind a case: its clean-up, the words that it changed, the record. */
const emitAfter = (e: Emitter, data: DriverData): void => {
  e.label('after').mem([0x0f, 0x01], 2, 'flatGdtr').mem([0x0f, 0x01], 3, 'baseIdtr').db(0xfc, 0x31, 0xc0, 0x0f, 0x00, 0xd0);
  e.load(R.si, 'cursor').call('act').store('nextCase', R.si);
  // EBP counts changes, EDX stands where the next one goes, EBX in the list of regions.
  e.movImm(R.bp, 0).movImm(R.dx, CHANGES).movImm(R.bx, data.regions);
  e.label('region').db(0x8b, 0x3b, 0x85, 0xff).short(0x74, 'compared').db(0x8b, 0x73, 0x04, 0x8b, 0x4b, 0x08);
  e.label('compare').db(0x39, 0xc0, 0xf3, 0xa7).short(0x74, 'regionDone');
  // A word differs: its address, and what it holds now.
  e.db(0x8d, 0x47, 0xfc, 0x89, 0x02, 0x8b, 0x00, 0x89, 0x42, 0x04, 0x83, 0xc2, 0x08, 0x45);
  e.db(0x81, 0xfd).dd(MOST_CHANGES).short(0x73, 'compared').db(0x85, 0xc9).short(0x75, 'compare');
  e.label('regionDone').db(0x83, 0xc3, 0x0c).short(0xeb, 'region').label('compared').store(recordAt('changes'), R.bp);
  e.movImm(R.si, 'mark').movImm(R.cx, 4).db(0x52).movImm(R.dx, DEBUGCON).db(0xf3, 0x6e, 0x59);
  e.movImm(R.si, RECORD).db(0x29, 0xf1, 0xf3, 0x6e).jmp('next');
  e.label('end');
  say(e, LAST_LINE, 'last');
  e.movImm(R.ax, EXIT_VALUE).movImm(R.dx, DEBUG_EXIT).db(0xef);
  // Where there is no isa-debug-exit: the word that Bochs waits for, then stand still.
  e.movImm(R.si, 'shutdown').movImm(R.cx, 8).movImm(R.dx, BOCHS_SHUTDOWN).db(0xf3, 0x6e);
  e.label('still').db(0xfa, 0xf4).short(0xeb, 'still');
};

const WRMSR_BYTES = 2;

/** Carries out the list of actions at ESI, up to and with its end. */
const emitActions = (e: Emitter): void => {
  e.label('act').db(0xad, 0x83, 0xf8, ACTION.store).short(0x77, 'actOther').short(0x72, 'acted');
  e.db(0xad, 0x89, 0xc7, 0xad, 0x89, 0x07).short(0xeb, 'act').label('acted').db(0xc3);
  e.label('actOther').db(0x83, 0xf8, ACTION.msr).short(0x74, 'actMsr');
  e.db(0xad, 0x89, 0xc2, 0xad, 0xee).short(0xeb, 'act');
  e.label('actMsr').db(0xad, 0x89, 0xc1, 0xad, 0x89, 0xc3, 0xad, 0x89, 0xc2, 0x89, 0xd8, 0x0f, 0x30).short(0xeb, 'act');
  e.label('skip').db(0x83, 0xc4, 0x04, 0x83, 0x04, 0x24, WRMSR_BYTES, 0xcf);
};

const emitVariables = (e: Emitter): void => {
  e.align(4);
  for (const name of ['nextCase', 'cursor', 'template', 'id']) e.label(name).dd(0);
  e.label('mark').dd(RECORD_MARK);
  e.label('flatGdtr').dw(GDT_LIMIT).dd(GDT).dw(0);
  // While the harness acts, #GP leads behind the WRMSR that met it: not every machine has every register.
  e.label('baseIdtr')
    .dw(14 * 8 - 1)
    .dd('baseIdt')
    .dw(0)
    .align(8)
    .label('baseIdt')
    .db(...new Array<number>(13 * 8).fill(0));
  e.dw('skip').dw(SEL.code32).db(0, 0x8e).dw(0);
  for (const [name, text] of [
    ['first', FIRST_LINE],
    ['last', LAST_LINE],
    ['shutdown', 'Shutdown'],
  ] as const)
    e.label(name).db(...Array.from(text, (c) => c.charCodeAt(0)));
  e.align(4);
};
