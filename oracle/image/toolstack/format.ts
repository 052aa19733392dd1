/**
 * What host and toolstack tell each other: the module that domain 0 is given, and the journal that it keeps in its memory, where the host reads it.
 * All numbers are little-endian.
 */
import { LOG_BYTES } from '../layout.ts';

/** The module begins with the number of programs and the offset of the page store, 8 bytes each; the plans follow at PLANS. */
export const MODULE = { count: 0, store: 8 } as const;
export const PLANS = 64;

/** A plan, 8 bytes a field: how one domain is built. Addresses are virtual, `*_pfn` count from the start of its memory, `contents` is an offset in the module. */
export const PLAN = {
  pages: 0,
  order: 8,
  vcpus: 16,
  entry: 24,
  stack: 32,
  start_info: 40,
  start_info_pfn: 48,
  l4_pfn: 56,
  p2m_pfn: 64,
  p2m_pages: 72,
  hypercall_pfn: 80,
  log_pfn: 88,
  contents: 96,
  contents_count: 104,
  /** Number of its domain, and whether the next plan's domain runs beside it. */
  domid: 112,
  beside: 120,
} as const;
export const PLAN_SIZE = 128;

/** An entry of the contents, 4 bytes a field: a page of the store goes to page `pfn`; into each entry of a table goes where the domain's memory begins. */
export const CONTENT = { pfn: 0, kind: 4, page: 8 } as const;
export const CONTENT_SIZE = 16;
export const CONTENT_KIND = { plain: 0, table: 1 } as const;

/** First page of the journal, 8 bytes a field. `started` and `done` count programs, `frame` is where the memory of the domain that runs begins. */
export const JOURNAL = { magic: 0, started: 8, done: 16, frame: 24, end: 32 } as const;
/** "journal" in ASCII. */
export const JOURNAL_MAGIC = 0x6c616e72756f6an;
export const JOURNAL_PAGES = 2048;
/** Offset of the first record. */
export const RECORDS = 4096;

/** A record, 4 bytes a field, then the log, then nothing up to a multiple of 8. */
export const RECORD = { program: 0, status: 4, value: 8, length: 12 } as const;
export const RECORD_SIZE = 16;
export const LONGEST_RECORD = RECORD_SIZE + LOG_BYTES;

/** How a domain came to its end. From `failed` on: the step of the build that was refused, `value` its result. */
export const STATUS = { shutdown: 0, silent: 1, failed: 16 } as const;
/** Steps of the build, counted from `failed`. */
export const STAGES = [
  'createdomain',
  'max_mem',
  'max_vcpus',
  'populate_physmap',
  'getdomaininfo',
  'hypercall_init',
  'pin',
  'setvcpucontext',
  'unpause',
  'map',
] as const;
