/** What a default campaign draws: programs of all kinds in turn, so that each kind has about the same time. */
export const KINDS = ['mixed', 'dense', 'pv32', 'crowd'] as const;
export type Kind = (typeof KINDS)[number];

/** One program, of a kind and a seed. */
export type Attempt = { readonly kind: Kind; readonly seed: number };

/** Programs of 32-bit guests and mixed ones are short, crowds long. */
const ROUND: readonly Kind[] = ['mixed', 'pv32', 'dense', 'mixed', 'pv32', 'crowd', 'mixed', 'pv32', 'dense', 'mixed', 'pv32'];

/** Seeds of all generators lie below this. */
export const SEED_END = 0x3fffffff;

/** Without end. Every kind counts its own seeds, from `first` on. */
export function* attempts(first: number): Generator<Attempt> {
  const next: Record<Kind, number> = { mixed: first, dense: first, pv32: first, crowd: first };
  for (;;) for (const kind of ROUND) yield { kind, seed: next[kind]++ % SEED_END };
}
