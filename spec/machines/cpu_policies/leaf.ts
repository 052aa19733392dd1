/** A leaf of a processor's policy, as Xen serialises it: 24 bytes. */

/** Leaf, subleaf (null: it has none, all ones), EAX, EBX, ECX, EDX. */
export type PolicyLeaf = readonly [leaf: number, subleaf: number | null, a: number, b: number, c: number, d: number];
