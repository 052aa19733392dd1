/** A minimal call of each row of the matrix, on both engines: does it answer, and what, or does it stop as not modelled? */

import { ERRNO } from '#spec/abi/errno.ts';
import { HYPERCALL, type HypercallName, SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { Boot } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Caller, Row } from '#spec/matrix/cell.ts';
import { kindOf, nameOf } from '#spec/matrix/matrix.ts';
import type { Argument, Program, Step, Value } from '#spec/program.ts';
import { caseOf } from '../case.ts';
import { runEngine } from '../run.ts';
import { type Outcome, probe32 } from './probe32.ts';

/** No hypercall has this command. */
const UNKNOWN_COMMAND = 0x7e;
/** Enough for the structure of any operation but a vCPU's context, which is then read past the zeros. */
const ZEROS = 40;
/** A type of vm_assist that 64-bit guests may have. */
const WRITABLE_PAGETABLES = 2;
const HIGH_HALF = 2 ** 32;
const SHADOW_OP = 10;
const QUERY_PAGE_OFFLINE = 3;

/** Zeros but for the first words. */
const words = (...first: Value[]): Argument => ({
  array: [...first, ...Array.from({ length: ZEROS }, () => 0)],
  size: 8,
  show: 'nothing',
});
const aPage = { page: 1, as: 'va' } as const;

/** Calls whose command stands at the beginning of a structure, with the version of the interface that follows it. */
const IN_STRUCTURE: ReadonlyMap<number, number> = new Map([
  [HYPERCALL.platform_op, 0x03000001],
  [HYPERCALL.sysctl, 0x15],
  [HYPERCALL.domctl, 0x15],
  [HYPERCALL.mca, 0x01ecc003],
  [HYPERCALL.event_channel_op_compat, 0],
  [HYPERCALL.physdev_op_compat, 0],
]);

/** Operations that a call of zeros does not reach, because an earlier check refuses it. `peer`: the other domain. */
const deeper = (name: string, cmd: number, peer: number): readonly Argument[] | null => {
  switch (name) {
    case 'event_channel_op/init_control':
      return [cmd, words({ page: 1, as: 'mfn' })];
    case 'mmuext_op/set_ldt':
      return [{ struct: 'xen.mmuext_op', fields: { cmd, arg1: aPage, arg2: 1 } }, 1, 0, DOMID.SELF];
    case 'memory_op/get_vnumainfo':
    case 'hvm_op/get_mem_type':
    case 'hvm_op/pagetable_dying':
      return [cmd, words(DOMID.SELF)];
    case 'memory_op/access_op':
    case 'memory_op/access_op/set_access':
    case 'memory_op/access_op/get_access':
    case 'memory_op/access_op/set_access_multi':
      return [cmd, words(peer * 2 ** 16)];
    case 'sysctl/availheap':
      // Of all memory, wherever its addresses lead.
      return [words(0x15 * HIGH_HALF + cmd)];
    case 'sysctl/page_offline_op':
      // Whether frame 0 is off line.
      return [words(0x15 * HIGH_HALF + cmd, QUERY_PAGE_OFFLINE, 0, aPage)];
    case 'paging_domctl_cont':
      return [words(0x15 * HIGH_HALF + SHADOW_OP, peer)];
    default:
      return null;
  }
};

/** The words behind a domctl's domain: one port, one frame, the caller as the target. */
const domctlWords = (sub: string | null, peer: number): readonly Value[] => {
  if (sub === 'ioport_permission') return [HIGH_HALF];
  if (sub === 'memory_mapping') return [0, 0, 1];
  // What a domctl says of frames: one, from the first on.
  return sub === 'set_target' ? [1 - peer] : [0, 1];
};

/** A call that passes the checks before the operation's own. */
export const argumentsOf = (row: Row, domain: 0 | 1): readonly Argument[] => {
  const { number, sub, command } = row;
  const cmd = command ?? UNKNOWN_COMMAND;
  const peer = 1 - domain;
  const special = deeper(nameOf(row), cmd, peer);
  if (special) return special;
  if (sub === null) return [words(0), 0, 0, 0];
  const version = IN_STRUCTURE.get(number);
  const head = `0x${((BigInt(version ?? 0) << 32n) | BigInt(cmd)).toString(16)}`;
  // Machine checks: of the first queue, an entry to a page.
  if (number === HYPERCALL.mca) return [words(head, 1, 0, aPage)];
  if (version !== undefined) return [words(head, peer, ...domctlWords(sub, peer))];
  switch (number) {
    case HYPERCALL.mmu_update:
      return [{ struct: 'xen.mmu_update', fields: { ptr: cmd, val: 0 } }, 1, 0, DOMID.SELF];
    case HYPERCALL.mmuext_op:
      return [{ struct: 'xen.mmuext_op', fields: { cmd, arg1: 0, arg2: 0 } }, 1, 0, DOMID.SELF];
    case HYPERCALL.grant_table_op:
      return [cmd, words(0), 1];
    case HYPERCALL.vcpu_op:
      return [cmd, 0, cmd === SUBOPERATIONS.vcpu_op.send_nmi ? 0 : words(0)];
    case HYPERCALL.console_io:
      return [cmd, 1, words(0x2e)];
    case HYPERCALL.vm_assist:
      return [cmd, WRITABLE_PAGETABLES];
    case HYPERCALL.set_segment_base:
      return [cmd, 0];
    case HYPERCALL.dm_op:
      return [peer, 1, words(aPage, 8)];
    default:
      return [cmd, words(0)];
  }
};

/** Calls of rows by one of two domains: step n makes the call of the n-th row, from 1. */
export const programOf = (rows: readonly Row[], domain: 0 | 1): Program => ({
  steps: [
    // So that there are two domains whoever calls.
    { id: 0, domain: 1, do: 'events' },
    ...rows.map((row, i): Step => ({ id: i + 1, domain, do: 'hypercall', call: row.number, args: [...argumentsOf(row, domain)] })),
  ],
});

const LINE = /^(?:\d+> )?\d+\.1 .*?\brc=(-?\d+)/m;

/** One call on a machine that did nothing else. */
const probe = (boot: Boot, row: Row, domain: 0 | 1): Outcome => {
  const { config, images } = caseOf(programOf([row], domain), 0);
  const engine = boot(config, images);
  let console = '';
  try {
    runEngine(engine, {
      onEvent: (event) => {
        if (event.kind === 'console' && event.domid === domain) console += event.bytes;
      },
    });
  } catch (error) {
    if (error instanceof NotModelled) return { stop: error.what };
    throw error;
  } finally {
    engine.dispose?.();
  }
  const rc = LINE.exec(console)?.[1];
  return { rc: rc === undefined ? null : Number(rc) };
};

/** Many calls one after another on a lenient machine: the names of all stops, in order. */
const stops = (boot: Boot, rows: readonly Row[], domain: 0 | 1): readonly string[] => {
  const { config, images } = caseOf(programOf(rows, domain), 0);
  const engine = boot({ ...config, lenient: true }, images);
  const seen: string[] = [];
  runEngine(engine, {
    onEvent: (event) => {
      if (event.kind === 'not_modelled') seen.push(event.what);
    },
  });
  engine.dispose?.();
  return seen;
};

export type Lie = { readonly row: string; readonly claim: string; readonly outcome: Outcome };

/** How a row's stop is called: by the sub-operation's name too where the ABI tables have it. What an old form leads to stops by its modern name. */
const stopOf = (old: Row): string => {
  const row = { ...old, call: old.call.replace(/_compat$/, '') };
  return row.command !== null && suboperation(row.call as HypercallName, row.command) === row.sub ? nameOf(row) : old.call;
};

/** The same of a 32-bit guest, whose stops have a name of their own. */
const lieOf32 = (boot: Boot, row: Row, caller: Caller): readonly Lie[] => {
  const cell = row.cells[caller];
  const outcome = probe32(boot, row, caller.endsWith('dom0') ? 0 : 1);
  const lie = (claim: string): readonly Lie[] => [{ row: nameOf(row), claim, outcome }];
  if (cell.kind === 'not modelled') return 'stop' in outcome ? [] : lie('stops');
  if (cell.kind === 'refused') return 'rc' in outcome && outcome.rc === -ERRNO[cell.errno] ? [] : lie(cell.errno);
  return 'rc' in outcome ? [] : lie('modelled');
};

/** Rows that fit into one program. */
export const BATCH = 100;

/** Cells of a caller that say otherwise than the engine does. */
export const liesOf = (boot: Boot, rows: readonly Row[], caller: Caller): readonly Lie[] => {
  if (caller.startsWith('pv32')) return rows.flatMap((row) => lieOf32(boot, row, caller));
  const domain = caller.endsWith('dom0') ? 0 : 1;
  const isAnswered = ({ cells }: Row): boolean => ['modelled', 'refused'].includes(kindOf(cells[caller]));
  const lieOf = (row: Row): readonly Lie[] => {
    const cell = row.cells[caller];
    const outcome = probe(boot, row, domain);
    const lie = (claim: string): readonly Lie[] => [{ row: nameOf(row), claim, outcome }];
    if (!isAnswered(row)) return 'stop' in outcome && outcome.stop === stopOf(row) ? [] : lie(`stops as ${stopOf(row)}`);
    if (cell.kind === 'refused') return 'rc' in outcome && outcome.rc === -ERRNO[cell.errno] ? [] : lie(cell.errno);
    return 'rc' in outcome ? [] : lie('modelled');
  };

  const silent = rows.filter((row) => !isAnswered(row));
  const batches = Array.from({ length: Math.ceil(silent.length / BATCH) }, (_, i) => silent.slice(i * BATCH, (i + 1) * BATCH));
  // One boot tells that a hundred rows are right; only when they are not, a boot for each tells which is wrong.
  const suspects = batches.filter((batch) => stops(boot, batch, domain).join() !== batch.map(stopOf).join()).flat();
  return [...rows.filter(isAnswered), ...suspects].flatMap(lieOf);
};
