/** Nothing that a guest can bring about ends Xen itself. Chapter: spec/chapters/invariants.md, "Totality". */
import type { Invariant } from './view.ts';

export const totality: Invariant = {
  property: 'NOCRASH',
  states:
    'Whatever guests do, Xen goes on: no assertion fails, no index leaves its table, no fault is Xen’s own, and every input comes to an end.',
  *violations({ fault }) {
    if (fault !== undefined) yield fault;
  },
};
