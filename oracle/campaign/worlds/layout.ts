/** Where things are in the guests of two worlds: page i of the image is page i of the domain. */
export const PAGE = 4096;
/** High enough that the first 4 MiB end soon: the initial mapping, and so the domain, is small. */
export const BASE = 0x300000;
export const DOMAIN_PAGES = 256;
const at = (page: number): number => BASE + PAGE * page;

/** Pages of the image by what they are for. */
export const PAGES = {
  code: 0,
  hypercall: 4,
  /** Structures of calls, lists, and what Xen answers. */
  data: 5,
  results: 6,
  /** What nobody else may know: never granted, never given back. The second takes copies of the first, and answers about other domains. */
  secret: 7,
  copies: 8,
  /** What is granted. */
  share: 9,
  /** Where grants of others are mapped. */
  windows: 13,
  shared_info: 15,
  grants: 16,
  status: 17,
  /** To be given back, exchanged, made tables of. */
  spare: 18,
  end: 26,
} as const;
export const SHARES = 4;
export const WINDOWS = 2;
export const SPARES = 8;
export const CODE_PAGES = 4;

export const VA = {
  ...{ code: at(PAGES.code), hypercall: at(PAGES.hypercall), data: at(PAGES.data), results: at(PAGES.results), secret: at(PAGES.secret) },
  ...{ copies: at(PAGES.copies), shared_info: at(PAGES.shared_info), grants: at(PAGES.grants), end: at(PAGES.end) },
} as const;
/** Lists of frames, and buffers that Xen fills. */
export const LIST = VA.data + 0x400;
export const BUFFER = VA.data + 0x800;
export const vaOf = at;

/** Frames of the machine: M2P, Xen's heap, the domains, and some that are free. */
export const M2P_FIRST = 0x200;
export const HEAP_FIRST = 0x400;
export const HEAP_END = 0x440;
export const FREE_FRAMES = 0x60;
/** First frame of the domain at a place (0 is domain 0). */
export const firstFrame = (place: number): number => HEAP_END + DOMAIN_PAGES * place;
