/**
 * Where things stand in a bare image of system cases. All that a case can see lies below 64 KiB, so that 16-bit code with base 0
 * reaches it too; the case list stands above 1 MiB, where the loader puts the image.
 */

/** Where the multiboot loader puts the image. */
export const LOAD = 0x10_0000;
/** Code of the harness, copied down at the start. */
export const LOW = 0x1000;
/** What a case brought about (RECORD_FIELDS), then the words of memory that it changed. */
export const RECORD = 0x5000;
export const RECORD_BYTES = 0x180;
export const MOST_CHANGES = 400;
/** How a case begins (STATE_FIELDS). */
export const STATE = 0x6000;
export const STATE_BYTES = 0x180;
/** Stack tops: the harness's own, of ring 0 for what comes from outer rings, of IST 1, of the double fault task. */
export const STACKS = { base: 0x7000, ring0: 0x7800, ist: 0x7c00, doubleFault: 0x7e00 } as const;

/** What cases work on; restored before each, compared behind each. */
export const ARENA = 0x8000;
export const GDT = 0x8000;
export const LDT = 0x8200;
export const IDT32 = 0x8300;
export const IDT64 = 0x8500;
export const IVT = 0x8900;
export const TSS32 = 0x8a00;
export const TSS_TASK = 0x8b00;
export const TSS_DF = 0x8c00;
export const TSS64 = 0x8d00;
/** 104 bytes, and a bitmap for ports 0 to 0xff with its closing byte. */
export const TSS_LIMIT = 104 + 32;
/** Offsets of a 32-bit TSS's fields. */
export const TSS = {
  esp0: 4,
  ss0: 8,
  cr3: 28,
  eip: 32,
  eflags: 36,
  gpr: 40,
  es: 72,
  cs: 76,
  ss: 80,
  ds: 84,
  fs: 88,
  gs: 92,
  ldt: 96,
  iomap: 100,
};
/** Room for descriptor tables' images and other operands. */
export const OPERANDS = 0x8e00;
export const ARENA_END = 0x8f00;
/** A page for ring 0 and one for ring 3, each with code, data and a stack; `task`: where the second task begins. */
export const PAGE0 = 0x9000;
export const PAGE3 = 0xa000;
export const CODE = 0x000;
export const TASK_CODE = 0x0c0;
export const DATA = 0x100;
export const STACK_TOP = 0x2c0;
export const PAGE_USED = 0x300;

export const VECTORS = 64;

/** Page tables of each paging mode. Each maps the first 2 (without PAE 4) MiB one to one. */
export const TABLES = {
  pd32: 0x1_0000,
  pt32: 0x1_1000,
  pdpt: 0x1_2000,
  pdpae: 0x1_3000,
  ptpae: 0x1_4000,
  pml4: 0x1_5000,
  pdpt64: 0x1_6000,
  pd64: 0x1_7000,
  pt64: 0x1_8000,
} as const;
export const LOW_END = 0x1_9000;
/** Linear addresses of eight pages whose entries cases write as they like, and the frames behind them. */
export const WINDOW = 0x1c_0000;
export const WINDOW_FRAMES = 0x3_0000;
export const WINDOW_PAGES = 8;

/** Descriptors that every case has. Rings 0 and 3; the zoo begins at `zoo`. */
export const SEL = {
  code32: 0x08,
  data: 0x10,
  code64: 0x18,
  code16: 0x20,
  data16: 0x28,
  user32: 0x33,
  userData: 0x3b,
  user64: 0x43,
  user16: 0x4b,
  userData16: 0x53,
  tss32: 0x58,
  task: 0x60,
  tssDf: 0x68,
  tss64: 0x70,
  ldt: 0x80,
  zoo: 0x90,
} as const;

const fields = <const T extends readonly (readonly [string, number])[]>(start: number, list: T): Readonly<Record<T[number][0], number>> => {
  let at = start;
  const found: Record<string, number> = {};
  for (const [name, bytes] of list) {
    found[name] = at;
    at += bytes;
  }
  return found as Readonly<Record<T[number][0], number>>;
};

/** The beginning of a case. `pops`: EDI ESI EBP - EBX EDX ECX EAX, GS FS ES DS, then what IRET takes. */
export const S = fields(STATE, [
  ['enter', 4],
  ['samering', 4],
  ['cr0', 4],
  ['cr3', 4],
  ['cr4', 4],
  ['efer', 4],
  ['ldt', 4],
  ['tr', 4],
  ['gdtr', 16],
  ['idtr', 16],
  ['dr', 40],
  ['cr8', 8],
  ['pops', 32],
  ['segments', 16],
  ['iret', 36],
  ['sp', 4],
  ['ss', 4],
  ['gpr64', 128],
  ['iret64', 40],
]);

/** What came of a case. 8 bytes each, little-endian; what a mode does not have stays 0. */
export const RECORD_FIELDS = [
  'id',
  'kind',
  'vector',
  ...['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
  ...['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7', 'f8', 'f9'],
  'flags',
  'es_ds',
  'fs_gs',
  'cs_ss',
  'ldtr_tr',
  'cr0',
  'cr2',
  'cr3',
  'cr4',
  'cr8',
  'dr6',
  'dr7',
  'efer',
  'fs_base',
  'gs_base',
  'kernel_gs_base',
  'changes',
] as const;
export type RecordField = (typeof RECORD_FIELDS)[number];
export const recordAt = (field: RecordField): number => RECORD + 8 * RECORD_FIELDS.indexOf(field);
export const CHANGES = RECORD + RECORD_BYTES;

/** Which handler wrote a record. */
export const KIND = { real: 16, legacy: 32, long: 64, task: 33 } as const;

/** Begins and ends what an image prints. */
export const FIRST_LINE = 'xenspec: system cases\n';
export const LAST_LINE = 'xenspec: end\n';
/** Before each record. */
export const RECORD_MARK = 0x45534143;
/** Written to isa-debug-exit behind the last case. */
export const EXIT_VALUE = 0x10;
