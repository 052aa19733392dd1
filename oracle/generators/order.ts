/** Programs that are wrong in two ways at once: which answer comes tells which check Xen makes first. */
import type { Argument, Call, Program, Step } from '#spec/program.ts';
import { type DomainKind, isRefused, operationsFor } from './operations/index.ts';
import { type Fault, type Mistaken, type Operation, pairs, singles } from './operations/operation.ts';
import { PAGES, SELF } from './state.ts';

/** What a place in a program's lines answers: the `index`-th result of step `step`. */
export type Asked = { readonly operation: Operation; readonly faults: readonly Fault[]; readonly step: number; readonly index: number };
export type OrderProgram = { readonly program: Program; readonly asked: readonly Asked[] };

/** Calls of one step, and steps of one program: a domain that may not write to the console keeps so many lines. */
const CALLS = 150;
const STEPS = 40;

/** The answer of a grant operation stands in its structure, so each call has a line. */
const tellsByStatus = ({ call }: Operation): boolean => call === 'grant_table_op';

/** Ports 1 to 3, a port for an IPI, and windows that the programs may spoil. */
const prologue = (domain: 0 | 1): readonly Step[] => {
  const of = domain === 0 ? {} : { domain };
  const call = (id: number, name: 'event_channel_op' | 'update_va_mapping', args: readonly Argument[]): Step => ({
    id,
    ...of,
    do: 'hypercall',
    call: name,
    args: [...args],
  });
  const unbound = { struct: 'evtchn.alloc_unbound', fields: { dom: SELF, remote_dom: SELF } } as const;
  return [
    ...(domain === 0 ? [] : [{ id: 9, do: 'events' } as const]),
    call(1, 'event_channel_op', [6, unbound]),
    call(2, 'event_channel_op', [6, unbound]),
    call(3, 'event_channel_op', [6, unbound]),
    call(4, 'event_channel_op', [7, { struct: 'evtchn.bind_ipi', fields: { vcpu: 0 } }]),
    call(5, 'update_va_mapping', [{ page: PAGES.windows[2], as: 'va' }, 0, 2]),
  ];
};

const chunks = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

type Draft = { readonly operation: Operation; readonly mistaken: readonly Mistaken[] };

const stepOf = (id: number, domain: 0 | 1, { operation, mistaken }: Draft): Step => {
  const head = domain === 0 ? { id } : { id, domain };
  const calls = mistaken.map(({ call }) => call);
  const only = calls[0] as Call;
  if (tellsByStatus(operation)) return { ...head, do: 'hypercall', call: only.call, args: [...only.args] };
  return { ...head, do: 'calls', calls };
};

/** What is refused in the end answers so to right calls too; other right calls would do something. */
const right = (caller: DomainKind, { row, call, args, variants, onlyWrong }: Operation): readonly Mistaken[] =>
  onlyWrong || !isRefused(row, caller) ? [] : [args, ...variants].map((some) => ({ faults: [], call: { call, args: some } }));

/** All single faults and all pairs of these operations, in as few programs as they fit. `domain` 1 makes domain 1 of a machine with two the caller. */
export const orderPrograms = (caller: DomainKind, domain: 0 | 1 = 0, operations = operationsFor(caller)): readonly OrderProgram[] => {
  const drafts = operations.flatMap((operation): readonly Draft[] => {
    const mistaken = [...right(caller, operation), ...singles(operation), ...pairs(operation)];
    return chunks(mistaken, tellsByStatus(operation) ? 1 : CALLS).map((some) => ({ operation, mistaken: some }));
  });
  return chunks(drafts, STEPS).map((some) => ({
    program: { steps: [...prologue(domain), ...some.map((draft, i) => stepOf(10 + i, domain, draft))] },
    asked: some.flatMap(({ operation, mistaken }, i) => mistaken.map(({ faults }, index) => ({ operation, faults, step: 10 + i, index }))),
  }));
};
