/** Where things lie in the toolstack's own image. */
import { RUNTIME } from '../layout.ts';
import { JOURNAL_PAGES } from './format.ts';

const PAGE = 4096;
export const CODE = RUNTIME;
const CODE_PAGES = 2;

let next = CODE + CODE_PAGES * PAGE;
const pages = (count: number): number => {
  const here = next;
  next += count * PAGE;
  return here;
};
export const BSS = next;
/** Xen writes here, as in every image. */
export const OWN_HYPERCALL_PAGE = pages(1);
export const SHARED = pages(1);
export const WINDOW = pages(1);
/** vcpu_guest_context of the domain that is built. */
export const CONTEXT = pages(2);
export const STACK = pages(1) + PAGE;
export const VARIABLES = pages(1);
export const JOURNAL_AT = pages(JOURNAL_PAGES);
export const BSS_END = next;

/** Variables, 8 bytes each. */
export const V = {
  start_info: VARIABLES,
  p2m: VARIABLES + 8,
  /** Where the module lies, and its page store. */
  module: VARIABLES + 16,
  store: VARIABLES + 24,
  /** Program that is on, and where its record will stand. */
  program: VARIABLES + 32,
  record: VARIABLES + 40,
  /** First frame of the domain's memory; also the extent that populate_physmap takes and gives. */
  frame: VARIABLES + 48,
  deadline: VARIABLES + 56,
  tries: VARIABLES + 64,
  /** Domain that is at work, the first program of those that run together, and by domain number the first frame of its memory. */
  domid: VARIABLES + 72,
  group: VARIABLES + 80,
  frames: VARIABLES + 88,
  /** Domains of the group whose ends are written down, a bit each. */
  ended: VARIABLES + 112,
  text: VARIABLES + 128,
} as const;
