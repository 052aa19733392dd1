/** Clauses that no generated program exercises, and why not: data, which `check --clauses` holds to what it measures. */
import type { ClauseId } from '#spec/clauses.ts';

type Reason = { readonly why: string; readonly clauses: readonly ClauseId[] };

export const WITHOUT_PROGRAM: readonly Reason[] = [
  { why: 'Drawn programs of the bare machine are multiboot images, all of one layout.', clauses: ['bare/pvh-entry', 'bare/pvh-info'] },
  { why: 'The machines stop there by name: there is nothing else to see.', clauses: ['compat/call-not_modelled'] },
  { why: 'The processor stops by name at any base but the one that it starts with.', clauses: ['device/lapic-base'] },
  {
    why: 'Half a million mappings must be open, of which one reference bears 255: no program is so long.',
    clauses: ['gnttab/handle-none'],
  },
  {
    why: 'Xen refuses reserved bits in the entries of a PV guest, so that no walk meets one in tables that it looked at.',
    clauses: ['x86/page_walk-reserved'],
  },
];
