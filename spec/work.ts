/**
 * How much Xen goes through one by one while nothing else can run on the processor: between two questions whether to stop, or a call's begin and end.
 * Chapter: spec/chapters/invariants.md, "Work".
 */
import { XEN_DOMCTL } from './abi/control.ts';
import { XEN_DOMCTL_MODELLED, XEN_DOMCTL_TOOLS } from './abi/domctl.ts';
import { type HypercallName, SUBOPERATIONS, suboperation } from './abi/hypercall.ts';

/** What is counted, each by itself. */
export const WORK = {
  /** An entry of a list that a guest gives: of a multicall, a batch, an array of structures; an extent; a piece of a text; a turn of a string instruction. */
  entry: 0,
  /** A slot of a page table that is checked or given back. Those of levels 1 and 4, which ask nothing, count together when their table is begun. */
  slot: 1,
  /** A descriptor that is checked: 512 for a page of them. */
  descriptor: 2,
  /** A page that an extent asks for or gives back, whether or not all of them come. */
  page: 3,
  /** A port that is closed, or looked at for that. */
  port: 4,
  /** A handle of a grant mapping that is given back, or looked at for that. */
  handle: 5,
  /** A frame that a dying domain loses. */
  frame: 6,
  /** A grant that is looked at in a search. */
  grant: 7,
} as const;
export type WorkKind = keyof typeof WORK;
export const WORK_KINDS = Object.keys(WORK) as readonly WorkKind[];

/** The longest stretch of work of one kind in an input. `call`: the hypercall and its operation, or OUTSIDE; `domid`: whose vCPU made it. */
export type Stretch = { readonly call: string; readonly domid: number; readonly kind: WorkKind; readonly units: number };

/** Stretches up to this long are not told: an entry of a multicall, and one of a list in it. */
export const SHORT = 2;

/** What is no hypercall: instructions that Xen carries out for a guest, faults, the other kinds of input. */
export const OUTSIDE = 'outside';

/** Calls whose operation stands in a list or a structure of the guest's; it is known when that is read. */
const BY_ELEMENT: readonly string[] = ['mmu_update', 'mmuext_op', 'domctl', 'sysctl', 'platform_op'] satisfies readonly HypercallName[];
/** Bits of the first argument that say which operation, where it says more. */
const COMMAND_BITS: Readonly<Partial<Record<string, number>>> = { memory_op: 0x3f } satisfies Partial<Record<HypercallName, number>>;

/** What the work of a call is told under, by its first argument. */
export const callName = (call: HypercallName, first: number): string =>
  !(call in SUBOPERATIONS) || BY_ELEMENT.includes(call) ? call : elementName(call, first & (COMMAND_BITS[call] ?? 0xfff));

/** The same of an operation of its own. */
export const elementName = (call: HypercallName, command: number): string => {
  const operation = call === 'domctl' ? DOMCTL_NAMES.get(command) : suboperation(call, command);
  return operation === undefined ? call : `${call}/${operation}`;
};

const DOMCTL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries({ ...XEN_DOMCTL, ...XEN_DOMCTL_TOOLS, ...XEN_DOMCTL_MODELLED }).map(([name, command]) => [command, name]),
);
