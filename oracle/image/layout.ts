/** Where things lie in a generated image. All virtual addresses are fixed, so that reports may show them. */

export const VIRT_BASE = 0x400000;
const PAGE = 4096;

/** Guest runtime: code and read-only data. */
export const RUNTIME = VIRT_BASE;
const RUNTIME_PAGES = 5;

let next = VIRT_BASE + RUNTIME_PAGES * PAGE;
const pages = (count: number): number => {
  const here = next;
  next += count * PAGE;
  return here;
};

/** First address of the zero-filled part, and the pages in it. */
export const BSS = next;
export const HYPERCALL_PAGE = pages(1);
/** The shared info page is mapped here over an ordinary page. */
export const SHARED_INFO = pages(1);
/** The runtime's variables. */
export const VARIABLES = pages(1);
/** The line that is being written. */
export const LINE = pages(1);
/** Results of steps, 8 bytes each, for later steps to name. */
export const RESULTS = pages(1);
/** The other domain's results are mapped here in a program of two domains. */
export const PEER_RESULTS = pages(1);
/** Grant table frames are mapped here. */
export const GRANT_FRAMES = 4;
export const GRANT = pages(GRANT_FRAMES);
/** Page tables of user mode: L4, L3, L2, L1. */
export const USER_TABLES = pages(4);
/** Ends of the stacks: runtime, Xen's frames on entry from user mode, user mode. */
export const STACK_TOP = pages(2) + 2 * PAGE;
export const KERNEL_STACK_TOP = pages(2) + 2 * PAGE;
export const USER_STACK = pages(1);
export const USER_STACK_TOP = USER_STACK + PAGE;
/** Lines that a domain may not write to Xen's console: their length in bytes, then the lines. */
const LOG_PAGES = 8;
export const LOG = pages(LOG_PAGES);
export const LOG_BYTES = LOG_PAGES * PAGE - 8;
export const LOG_INDEX = (LOG - VIRT_BASE) / PAGE;
/** Domain 0 as toolstack: frames of domain 1 by pfn, a window on one of them, and the registers of its vCPU. */
export const PEER_ORDER = 10;
export const PEER_PAGES = 1 << PEER_ORDER;
export const PEER_MIB = PEER_PAGES / 256;
export const PEER_KIB = PEER_PAGES * 4;
export const PEER_FRAMES = pages((8 * PEER_PAGES) / PAGE);
export const PEER_WINDOW = pages(1);
export const PEER_CONTEXT = pages(2);
export const HYPERCALL_PAGE_INDEX = 8 * ((HYPERCALL_PAGE - VIRT_BASE) / PAGE);
export const BSS_END = next;

/** Code of the programs; their data and the pools follow. */
export const PROGRAMS = BSS_END;

/** Pages that a program may use as it likes; each program of a batch has its own. */
export const POOL_PAGES = 16;

/** Where user mode sees pool page n: `USER_WINDOW + n * 4096`. Not mapped in kernel mode. */
export const USER_WINDOW = 0x2000000;

/** Machine-to-physical table, and how many frames of it are looked at. */
export const M2P = 0xffff800000000000n;
export const MACHINE_FRAMES = 0x20000;

/** Variables, by their address. */
let variable = VARIABLES;
const words = (count = 1): number => {
  const here = variable;
  variable += 8 * count;
  return here;
};

export const VAR = {
  /** From start_info. */
  start_info: words(),
  p2m: words(),
  nr_pages: words(),
  pt_base: words(),
  pt_end: words(),
  shared_mfn: words(),
  domid: words(),
  /** Virtual addresses of the initial top three tables. */
  l4: words(),
  l3: words(),
  l2: words(),
  /** vcpu_info of vCPU 0. */
  vcpu_info: words(),
  /** First pool page of the program that runs. */
  pool: words(),
  /** Where a trap resumes; where the probing code starts. */
  resume: words(),
  code: words(),
  /** What the last trap brought: see runtime/traps.ts. */
  trapped: words(),
  vector: words(),
  error: words(),
  trap_rip: words(),
  trap_cs: words(),
  trap_flags: words(),
  trap_rsp: words(),
  trap_ss: words(),
  trap_cr2: words(),
  /** Registers at the end of a code block or at a trap, in the encoding's order; then flags. */
  registers: words(16),
  flags: words(),
  /** Arguments under way, and the result of a hypercall. */
  args: words(6),
  rc: words(),
  /** Upcalls: count and ports; traps that a resuming handler took: count and vectors. */
  upcall_count: words(),
  upcall_ports: words(64),
  taken_count: words(),
  taken_vectors: words(16),
  /** Port of VIRQ_TIMER, 0 when not bound; machine frames of the grant table, 0 when not known. */
  timer_port: words(),
  grant_mfn: words(GRANT_FRAMES),
  /** Whether user tables stand; whether domain 0 built domain 1; counter of a loop. */
  user_ready: words(),
  built: words(),
  deadline: words(),
  tries: words(),
  saved: words(4),
  /** Upper end of the area that a step may use as it likes. */
  scratch: words(16),
} as const;
if (variable > VARIABLES + PAGE) throw new RangeError('the variables do not fit their page');
