/** The memory that every case finds: descriptor tables, task states, page tables, the two pages with code and stacks. */
import { ACCESS, type Descriptor, dpl, FLAG, gate, gate64, PTE, segment, system, system64 } from './descriptors.ts';
import {
  ARENA,
  ARENA_END,
  CODE,
  GDT,
  IDT32,
  IDT64,
  IVT,
  LDT,
  LOW_END,
  PAGE_USED,
  PAGE0,
  PAGE3,
  SEL,
  STACK_TOP,
  STACKS,
  TABLES,
  TASK_CODE,
  TSS,
  TSS_DF,
  TSS_LIMIT,
  TSS_TASK,
  TSS32,
  TSS64,
  VECTORS,
  WINDOW,
  WINDOW_FRAMES,
  WINDOW_PAGES,
} from './layout.ts';

/** Address of a stub or a label of the harness. */
export type Labels = { readonly stub: (bits: 16 | 32 | 64, vector: number) => number; readonly label: (name: string) => number };

/** Memory of the harness below 64 KiB and the page tables behind it, as dwords. */
export class LowMemory {
  readonly view = new DataView(new ArrayBuffer(LOW_END));

  put(address: number, values: readonly number[]): void {
    values.forEach((value, i) => {
      this.view.setUint32(address + 4 * i, value >>> 0, true);
    });
  }

  bytes(start: number, end: number): Uint8Array {
    return new Uint8Array(this.view.buffer, start, end - start);
  }
}

/** Entries that software may have in the GDT at the start of each case. */
const gdt = (): readonly (readonly [number, Descriptor])[] => {
  const code = (access: number, flags: number, limit = 0xfffff) => segment(access, flags, 0, limit);
  const { g, d, l } = FLAG;
  return [
    [SEL.code32, code(ACCESS.code, g | d)],
    [SEL.data, code(ACCESS.data, g | d)],
    [SEL.code64, code(ACCESS.code, g | l)],
    [SEL.code16, code(ACCESS.code, 0, 0xffff)],
    [SEL.data16, code(ACCESS.data, 0, 0xffff)],
    [SEL.user32, code(dpl(ACCESS.code, 3), g | d)],
    [SEL.userData, code(dpl(ACCESS.data, 3), g | d)],
    [SEL.user64, code(dpl(ACCESS.code, 3), g | l)],
    [SEL.user16, code(dpl(ACCESS.code, 3), 0, 0xffff)],
    [SEL.userData16, code(dpl(ACCESS.data, 3), 0, 0xffff)],
    [SEL.tss32, system(ACCESS.tss, TSS32, TSS_LIMIT)],
    [SEL.task, system(ACCESS.tss, TSS_TASK, 103)],
    [SEL.tssDf, system(ACCESS.tss, TSS_DF, 103)],
    [SEL.tss64, system64(ACCESS.tss, TSS64, TSS_LIMIT)],
    [SEL.ldt, system64(ACCESS.ldt, LDT, 0xff)],
  ];
};

const BITMAP = 104;

const task = (memory: LowMemory, at: number, eip: number, stack: number): void => {
  memory.put(at + TSS.eip, [eip, 2]);
  memory.put(at + TSS.gpr, [0xa0, 0xa1, 0xa2, 0xa3, stack, 0xa5, 0xa6, 0xa7]);
  memory.put(at + TSS.es, [SEL.data, SEL.code32, SEL.data, SEL.data, SEL.data, SEL.data, 0, 104 << 16]);
};

const descriptorTables = (memory: LowMemory, { stub, label }: Labels): void => {
  for (const [selector, descriptor] of gdt()) memory.put(GDT + (selector & ~7), descriptor);
  for (let vector = 0; vector < VECTORS; vector++) {
    const ring = vector === 3 || vector === 4 ? 3 : 0;
    const access = dpl(ACCESS.interruptGate, ring);
    memory.put(IDT32 + 8 * vector, vector === 8 ? gate(ACCESS.taskGate, SEL.tssDf, 0) : gate(access, SEL.code32, stub(32, vector)));
    const ist = vector === 2 || vector === 8 || vector === 18 ? 1 : 0;
    memory.put(IDT64 + 16 * vector, gate64(access, SEL.code64, stub(64, vector), ist));
    memory.put(IVT + 4 * vector, [stub(16, vector)]);
  }
  // The bitmap lets ports 0 to 0x37 through and no others.
  memory.put(TSS32, [0, STACKS.ring0, SEL.data]);
  memory.put(TSS32 + TSS.iomap, [BITMAP << 16, 0, 0xff000000, ...new Array<number>(6).fill(0xffffffff), 0xff]);
  memory.put(TSS64, [0, STACKS.ring0, 0]);
  memory.put(TSS64 + 36, [STACKS.ist, 0]);
  memory.put(TSS64 + TSS.iomap, [BITMAP << 16, 0, 0xff000000, ...new Array<number>(6).fill(0xffffffff), 0xff]);
  task(memory, TSS_TASK, PAGE0 + TASK_CODE, PAGE0 + STACK_TOP);
  task(memory, TSS_DF, label('taskDf'), STACKS.doubleFault);
};

const PAGE = 0x1000;
const SETTLED = PTE.p | PTE.rw | PTE.a | PTE.d;
const NODE = PTE.p | PTE.rw | PTE.us | PTE.a;

/** What a page table entry of the first MiBs holds: user rights for PAGE3 and, untouched so far, for the window. */
const entryOf = (index: number): number => {
  const address = index * PAGE;
  if (address >= WINDOW && address < WINDOW + WINDOW_PAGES * PAGE) return (address - WINDOW + WINDOW_FRAMES) | PTE.p | PTE.rw | PTE.us;
  return address | SETTLED | (address === PAGE3 ? PTE.us : 0);
};

const pageTables = (memory: LowMemory): void => {
  const wide = (at: number, values: readonly number[]) =>
    memory.put(
      at,
      values.flatMap((value) => [value, 0]),
    );
  memory.put(TABLES.pd32, [TABLES.pt32 | NODE]);
  memory.put(
    TABLES.pt32,
    Array.from({ length: 1024 }, (_, i) => entryOf(i)),
  );
  wide(TABLES.pdpt, [TABLES.pdpae | PTE.p]);
  wide(TABLES.pdpae, [TABLES.ptpae | NODE]);
  wide(
    TABLES.ptpae,
    Array.from({ length: 512 }, (_, i) => entryOf(i)),
  );
  wide(TABLES.pml4, [TABLES.pdpt64 | NODE]);
  wide(TABLES.pdpt64, [TABLES.pd64 | NODE]);
  wide(TABLES.pd64, [TABLES.pt64 | NODE]);
  wide(
    TABLES.pt64,
    Array.from({ length: 512 }, (_, i) => entryOf(i)),
  );
};

/** All of it. The harness's code is put in by whoever asks. */
export const lowMemory = (labels: Labels): LowMemory => {
  const memory = new LowMemory();
  descriptorTables(memory, labels);
  pageTables(memory);
  // UD2 where a second task begins.
  for (const page of [PAGE0, PAGE3]) memory.put(page + TASK_CODE, [0x0b0f]);
  return memory;
};

/** Stretches of memory that are restored before each case and compared behind it: address, bytes. */
export const REGIONS: readonly (readonly [start: number, bytes: number])[] = [
  [ARENA, ARENA_END - ARENA],
  [PAGE0 + CODE, PAGE_USED],
  [PAGE3 + CODE, PAGE_USED],
  [TABLES.pd32, 32],
  [TABLES.pt32 + 4 * (WINDOW / PAGE), 4 * WINDOW_PAGES],
  [TABLES.pdpt, 32],
  [TABLES.pdpae, 32],
  [TABLES.ptpae + 8 * (WINDOW / PAGE), 8 * WINDOW_PAGES],
  [TABLES.pml4, 16],
  [TABLES.pdpt64, 16],
  [TABLES.pd64, 32],
  [TABLES.pt64 + 8 * (WINDOW / PAGE), 8 * WINDOW_PAGES],
  ...Array.from({ length: WINDOW_PAGES }, (_, i) => [WINDOW_FRAMES + i * PAGE + 0x100, 16] as const),
  [WINDOW_FRAMES + PAGE - 16, 32],
];
/** Region contents lie outside LOW_END for the window's frames, which begin as zeros. */
export const templateOf = (memory: LowMemory, start: number, bytes: number): Uint8Array =>
  start + bytes <= LOW_END ? memory.bytes(start, start + bytes) : new Uint8Array(bytes);
