/** The releases of Xen that this specification speaks of. The clauses' text is the reference's; `changes.ts` holds what others do instead. */

/** Oldest first. */
export const XEN_RELEASES = ['4.14', '4.17', '4.20'] as const;
export type XenRelease = (typeof XEN_RELEASES)[number];

/** The release whose behaviour the clauses tell. */
export const REFERENCE_RELEASE: XenRelease = '4.17';
