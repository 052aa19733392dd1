/** What a cell of the matrix may say, and how its rows are written down. */
import type { Errno } from '../abi/errno.ts';

/** Who calls: a 64-bit or 32-bit PV guest, the control domain or another. */
export const CALLERS = ['pv64_dom0', 'pv64_domU', 'pv32_dom0', 'pv32_domU'] as const;
export type Caller = (typeof CALLERS)[number];

export type Modelled = { readonly kind: 'modelled' };
/**
 * Xen answers `-errno` to every call that passes the checks before it. `after`: what those checks answer, in their order.
 * `answered`: model and executor do so too; otherwise they stop with the operation's name. `because`: why, where the operation does not say.
 */
export type Refused = {
  readonly kind: 'refused';
  readonly errno: Errno;
  readonly after: readonly Errno[];
  readonly answered: boolean;
  readonly because: string | null;
};
/** Model and executor stop with the operation's name. */
export type NotModelledCell = { readonly kind: 'not modelled'; readonly reason: string };
export type Cell = Modelled | Refused | NotModelledCell;

/** `command` selects the operation; null where the hypercall has but one, and for the row of all unknown commands. */
export type Row = {
  readonly call: string;
  readonly number: number;
  readonly sub: string | null;
  readonly command: number | null;
  readonly cells: Readonly<Record<Caller, Cell>>;
};

export const modelled: Modelled = { kind: 'modelled' };
export const not = (reason: string): NotModelledCell => ({ kind: 'not modelled', reason });
/** Refused, by both engines as by Xen. */
export const refused = (errno: Errno, after: readonly Errno[] = [], because: string | null = null): Refused => ({
  kind: 'refused',
  errno,
  after,
  answered: true,
  because,
});
/** Refused by Xen; the engines do not say so yet. */
export const xenRefuses = (errno: Errno, after: readonly Errno[] = [], because: string | null = null): Refused => ({
  ...refused(errno, after, because),
  answered: false,
});

type Operation = Pick<Row, 'sub' | 'command'> & { readonly dom0: Cell; readonly domU: Cell };

/** One operation; one cell serves both domains when they are treated alike. */
export const op = (sub: string, command: number, dom0: Cell, domU: Cell = dom0): Operation => ({ sub, command, dom0, domU });
/** Operations that share their cells, by command. */
export const ops = (commands: Readonly<Record<string, number>>, dom0: Cell, domU: Cell = dom0): readonly Operation[] =>
  Object.entries(commands).map(([sub, command]) => op(sub, command, dom0, domU));

/** How the row of all commands without a name is called. */
export const OTHER = '(any other)';
export const other = (dom0: Cell, domU: Cell = dom0): Operation => ({ sub: OTHER, command: null, dom0, domU });

/** The rows of one hypercall; 32-bit callers are treated like 64-bit ones unless pv32.ts says otherwise. */
export const hypercall = (call: string, number: number, operations: readonly Operation[]): readonly Row[] =>
  operations.map(({ sub, command, dom0, domU }) => ({
    call,
    number,
    sub,
    command,
    cells: { pv64_dom0: dom0, pv64_domU: domU, pv32_dom0: dom0, pv32_domU: domU },
  }));
/** A hypercall without commands. */
export const whole = (call: string, number: number, dom0: Cell, domU: Cell = dom0): readonly Row[] =>
  hypercall(call, number, [{ sub: null, command: null, dom0, domU }]);
