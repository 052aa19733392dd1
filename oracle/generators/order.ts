/** Programs that are wrong in two ways at once: which answer comes tells which check Xen makes first. */
import type { Argument, Call, Program, Step } from '#spec/program.ts';
import { type DomainKind, isRefused, operationsFor } from './operations/index.ts';
import { type Fault, type Mistaken, type Operation, pairs, type StepDraft, singles } from './operations/operation.ts';
import { READ_ONLY_PAGE } from './operations/read_only.ts';
import { PAGES, SELF } from './state.ts';

/** What a place in a program's lines answers: the `index`-th result of step `step`. */
export type Asked = { readonly operation: Operation; readonly faults: readonly Fault[]; readonly step: number; readonly index: number };
export type OrderProgram = { readonly program: Program; readonly asked: readonly Asked[] };

/** Calls of one step, and steps of one program: a domain that may not write to the console keeps so many lines. */
const CALLS = 150;
const STEPS = 40;

/** The answer of a grant operation stands in its structure, so each call has a line. */
const tellsByStatus = ({ call }: Operation): boolean => call === 'grant_table_op';

/** Numbers of the asked steps; smaller ones prepare. */
const FIRST_ID = 100;

type At = { readonly id: number; readonly domain?: 1 };
const call = (at: At, name: 'event_channel_op' | 'update_va_mapping', args: readonly Argument[]): Step => ({
  ...at,
  do: 'hypercall',
  call: name,
  args: [...args],
});

/** The page of structures that can be read and not written. */
const readOnlyPage = (of: Omit<At, 'id'>): readonly Step[] => {
  const { page, window, words } = READ_ONLY_PAGE;
  return [
    ...words.map(
      ({ at, value }, i): Step => ({
        id: 20 + i,
        ...of,
        do: 'access',
        how: 'write',
        at: { page, as: 'va', plus: at },
        size: 8,
        value,
      }),
    ),
    call({ id: 6, ...of }, 'update_va_mapping', [{ page: window, as: 'va' }, { page, as: 'pte', flags: '0x61' }, 2]),
  ];
};

/** Ports 1 to 3, a port for an IPI, windows that the programs may spoil, and one that they only read. */
const prologue = (domain: 0 | 1): readonly Step[] => {
  const of = domain === 0 ? {} : { domain };
  const unbound = { struct: 'evtchn.alloc_unbound', fields: { dom: SELF, remote_dom: SELF } } as const;
  return [
    ...(domain === 0 ? [] : [{ id: 9, do: 'events' } as const]),
    ...[1, 2, 3].map((id) => call({ id, ...of }, 'event_channel_op', [6, unbound])),
    call({ id: 4, ...of }, 'event_channel_op', [7, { struct: 'evtchn.bind_ipi', fields: { vcpu: 0 } }]),
    call({ id: 5, ...of }, 'update_va_mapping', [{ page: PAGES.windows[2], as: 'va' }, 0, 2]),
    ...readOnlyPage(of),
  ];
};

const chunks = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

/** Calls of one step; `index`: where the first of them stands in its line. */
type Draft = {
  readonly operation: Operation;
  readonly mistaken: readonly Mistaken[];
  readonly steps: readonly [...StepDraft[], StepDraft];
  readonly index: number;
};

const draftOf = (operation: Operation, mistaken: readonly Mistaken[]): Draft => {
  const calls = mistaken.map(({ call }) => call);
  const only = calls[0] as Call;
  const made = operation.asStep?.(only);
  if (made) return { operation, mistaken, steps: [...made.before, made.asked], index: made.index ?? 0 };
  if (tellsByStatus(operation))
    return { operation, mistaken, steps: [{ do: 'hypercall', call: only.call, args: [...only.args] }], index: 0 };
  return { operation, mistaken, steps: [{ do: 'calls', calls }], index: 0 };
};

/** What is refused in the end answers so to right calls too; other right calls would do something. */
const right = (caller: DomainKind, { row, call, args, variants, onlyWrong, asStep }: Operation): readonly Mistaken[] =>
  !onlyWrong && (asStep || isRefused(row, caller)) ? [args, ...variants].map((some) => ({ faults: [], call: { call, args: some } })) : [];

/** A step for each call, or one for many. */
const oneAStep = (operation: Operation): boolean => tellsByStatus(operation) || operation.asStep !== undefined;

/** All single faults and all pairs of these operations, in as few programs as they fit. `domain` 1 makes domain 1 of a machine with two the caller. */
export const orderPrograms = (caller: DomainKind, domain: 0 | 1 = 0, operations = operationsFor(caller)): readonly OrderProgram[] => {
  const drafts = operations.flatMap((operation): readonly Draft[] => {
    const mistaken = [...right(caller, operation), ...singles(operation), ...pairs(operation)];
    return chunks(mistaken, oneAStep(operation) ? 1 : CALLS).map((some) => draftOf(operation, some));
  });
  return chunks(drafts, STEPS).map((some) => {
    const of = domain === 0 ? {} : { domain };
    const steps: Step[] = [...prologue(domain)];
    const asked: Asked[] = [];
    let id = FIRST_ID;
    for (const { operation, mistaken, steps: drafted, index } of some) {
      for (const draft of drafted) steps.push({ id: id++, ...of, ...draft } as Step);
      asked.push(...mistaken.map(({ faults }, i) => ({ operation, faults, step: id - 1, index: index + i })));
    }
    return { program: { steps }, asked };
  });
};
