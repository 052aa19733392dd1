/** Images of generated programs as a module for the toolstack: the start of day of each domain, laid out as Xen lays out domain 0's. */
import { start_info } from '#spec/abi/xen.ts';
import { HYPERCALL_PAGE, LOG, VIRT_BASE } from '../layout.ts';
import { CONTENT, CONTENT_KIND, CONTENT_SIZE, MODULE, PLAN, PLAN_SIZE, PLANS } from './format.ts';

const PAGE = 4096;
const MIB_4 = 0x400000;
const LEAST_PADDING = 0x80000;
const TABLE = 0x67n;
const LEAF = { plain: 0x23n, dirty: 0x63n, table: 0x21n } as const;

const up = (n: number, unit: number): number => Math.ceil(n / unit) * unit;
const pfnOf = (address: number): number => (address - VIRT_BASE) / PAGE;

/** `domid`: 1 unless said. `beside`: the next guest runs at the same time; another number is its. */
export type Guest = { readonly image: Uint8Array; readonly vcpus: number; readonly domid?: number; readonly beside?: boolean };

/** `written`: pages that its segments take, zero-filled ones among them. */
type Loaded = {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly written: ReadonlySet<number>;
  readonly end: number;
  readonly entry: number;
};

/** Contents of an ELF file by pfn, and where the kernel ends. */
const load = (elf: Uint8Array): Loaded => {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const pages = new Map<number, Uint8Array>();
  const written = new Set<number>();
  let end = 0;
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const header = 64 + 56 * i;
    if (view.getUint32(header, true) !== 1) continue;
    const [offset, address, , size, room] = [8, 16, 24, 32, 40].map((at) => Number(view.getBigUint64(header + at, true))) as [
      number,
      number,
      number,
      number,
      number,
    ];
    end = Math.max(end, address + room);
    for (let at = Math.floor(address / PAGE) * PAGE; at < address + room; at += PAGE) written.add((at - VIRT_BASE) / PAGE);
    for (let at = 0; at < size; ) {
      const pfn = Math.floor((address + at - VIRT_BASE) / PAGE);
      const from = (address + at) % PAGE;
      const length = Math.min(PAGE - from, size - at);
      const page = pages.get(pfn) ?? new Uint8Array(PAGE);
      page.set(elf.subarray(offset + at, offset + at + length), from);
      pages.set(pfn, page);
      at += length;
    }
  }
  return { pages, written, end, entry: Number(view.getBigUint64(24, true)) };
};

type StartOfDay = {
  readonly pages: number;
  readonly p2m: number;
  readonly startInfo: number;
  readonly tables: number;
  readonly stackEnd: number;
  readonly end: number;
};

/** Virtual addresses as Xen's builder of domain 0 chooses them; domain memory is as large as what is mapped, a power of two. */
const startOfDay = (kernelEnd: number): StartOfDay => {
  for (let pages = 1024; ; pages *= 2) {
    const p2m = up(kernelEnd, PAGE);
    const startInfo = up(p2m + 8 * pages, PAGE);
    const tables = startInfo + up(start_info.size, PAGE);
    for (let count = 4; ; count++) {
      const stackEnd = tables + count * PAGE + PAGE;
      let end = up(stackEnd, MIB_4);
      if (end - stackEnd < LEAST_PADDING) end += MIB_4;
      if (3 + (end - VIRT_BASE) / 0x200000 > count) continue;
      if (end - VIRT_BASE > pages * PAGE) break;
      return { pages, p2m, startInfo, tables, stackEnd, end };
    }
  }
};

/** Tables, in the order L4, then an L1 before the tables above it that are new. Entries hold pfns. */
const tablesOf = (day: StartOfDay, written: ReadonlySet<number>): readonly Uint8Array[] => {
  const count = (day.stackEnd - day.tables) / PAGE - 1;
  const tables = Array.from({ length: count }, () => new BigUint64Array(512));
  const first = pfnOf(day.tables);
  const entry = (pfn: number, flags: bigint): bigint => (BigInt(pfn) << 12n) | flags;
  const l2 = 2;
  const l3 = 3;
  tables[0]![0] = entry(first + l3, TABLE);
  tables[l3]![0] = entry(first + l2, TABLE);
  let l1 = -1;
  for (let address = VIRT_BASE; address < day.end; address += PAGE) {
    const pfn = pfnOf(address);
    if (address % 0x200000 === 0) {
      l1 = l1 < 0 ? 1 : Math.max(l1 + 1, 4);
      tables[l2]![address / 0x200000] = entry(first + l1, TABLE);
    }
    const isTable = pfn >= first && pfn < first + count;
    const dirty = written.has(pfn) || (address >= day.p2m && address < day.tables);
    tables[l1]![pfn % 512] = entry(pfn, isTable ? LEAF.table : dirty ? LEAF.dirty : LEAF.plain);
  }
  return tables.map((t) => new Uint8Array(t.buffer));
};

const startInfoOf = (day: StartOfDay): Uint8Array => {
  const page = new Uint8Array(PAGE);
  const view = new DataView(page.buffer);
  const { fields } = start_info;
  page.set(Uint8Array.from('xen-3.0-x86_64p', (c) => c.charCodeAt(0)));
  const set = (field: { readonly at: number }, value: number) => view.setBigUint64(field.at, BigInt(value), true);
  set(fields.nr_pages, day.pages);
  set(fields.pt_base, day.tables);
  set(fields.nr_pt_frames, (day.stackEnd - day.tables) / PAGE - 1);
  set(fields.mfn_list, day.p2m);
  set(fields.first_p2m_pfn, (day.end - VIRT_BASE) / PAGE);
  return page;
};

/** Pages of domain memory that an image is given, a power of two. */
export const domainPages = (image: Uint8Array): number => startOfDay(load(image).end).pages;

/** Pages that many images share are stored once. */
class Store {
  readonly pages: Uint8Array[] = [];
  private readonly known = new Map<string, number>();

  add(page: Uint8Array): number {
    const key = String.fromCharCode(...new Uint16Array(page.buffer, page.byteOffset, PAGE / 2));
    const found = this.known.get(key);
    if (found !== undefined) return found;
    this.known.set(key, this.pages.length);
    return this.pages.push(page) - 1;
  }
}

/** The module from which the toolstack builds one domain after the other. */
export const buildModule = (guests: readonly Guest[]): Uint8Array => {
  const store = new Store();
  const plans = guests.map(({ image, vcpus, domid = 1, beside = false }) => {
    const { pages, written, end, entry } = load(image);
    const day = startOfDay(end);
    const kind = CONTENT_KIND.plain;
    const contents = [...pages].map(([pfn, page]) => ({ pfn, kind: kind as number, page: store.add(page) }));
    contents.push({ pfn: pfnOf(day.startInfo), kind, page: store.add(startInfoOf(day)) });
    for (const [i, table] of tablesOf(day, written).entries())
      contents.push({ pfn: pfnOf(day.tables) + i, kind: CONTENT_KIND.table, page: store.add(table) });
    return { vcpus, domid, beside, entry, day, contents };
  });
  const contentsAt = PLANS + PLAN_SIZE * plans.length;
  const storeAt = up(contentsAt + CONTENT_SIZE * plans.reduce((sum, p) => sum + p.contents.length, 0), PAGE);
  const bytes = new Uint8Array(storeAt + PAGE * store.pages.length);
  const view = new DataView(bytes.buffer);
  const set = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  set(MODULE.count, plans.length);
  set(MODULE.store, storeAt);
  let next = contentsAt;
  plans.forEach(({ vcpus, domid, beside, entry, day, contents }, i) => {
    const plan: Record<keyof typeof PLAN, number> = {
      pages: day.pages,
      order: Math.log2(day.pages),
      vcpus,
      entry,
      stack: day.stackEnd,
      start_info: day.startInfo,
      start_info_pfn: pfnOf(day.startInfo),
      l4_pfn: pfnOf(day.tables),
      p2m_pfn: pfnOf(day.p2m),
      p2m_pages: (day.pages * 8) / PAGE,
      hypercall_pfn: pfnOf(HYPERCALL_PAGE),
      log_pfn: pfnOf(LOG),
      contents: next,
      contents_count: contents.length,
      domid,
      beside: beside ? 1 : 0,
    };
    for (const [field, at] of Object.entries(PLAN)) set(PLANS + PLAN_SIZE * i + at, plan[field as keyof typeof PLAN]);
    for (const { pfn, kind, page } of contents) {
      view.setUint32(next + CONTENT.pfn, pfn, true);
      view.setUint32(next + CONTENT.kind, kind, true);
      view.setUint32(next + CONTENT.page, page, true);
      next += CONTENT_SIZE;
    }
  });
  for (const [i, page] of store.pages.entries()) bytes.set(page, storeAt + PAGE * i);
  return bytes;
};
