/** XEN_SYSCTL_cpupool_op and scheduler_op: the one pool, and what its scheduler is told. */
import { XEN_SCHEDULER_CREDIT2 } from '#spec/abi/domctl.ts';
import {
  XEN_SYSCTL_CPUPOOL_PAR_ANY as ANY,
  XEN_SYSCTL_CPUPOOL_OP as OP,
  CREDIT2_RATELIMIT as RATELIMIT,
  sysctl,
  XEN_SCHEDULERS,
  XEN_SYSCTL_SCHEDOP,
} from '#spec/abi/sysctl.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { findDomain } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { fieldOf, fieldsOf, withFields } from '../../guest_struct.ts';
import { fail, type HypercallResult } from '../../result.ts';
import { tellBitmap } from '../domctl/bitmap.ts';
import { type Asked, type Rule, tell } from './rule.ts';

type Pool = { readonly op: number; readonly pool: number; readonly cpu: number };
type Part = (machine: Machine, asked: Asked, pool: Pool) => HypercallResult | null;

/** Another pool is made, which is not modelled, where nothing is wrong. */
const create: Part = (machine, { bytes }, { pool }) => {
  if (pool === 0) return fail(machine, 'EEXIST', 'sysctl/cpupool_op-create');
  const known = XEN_SCHEDULERS.includes(fieldOf(bytes, sysctl.cpupool_op.fields.sched_id));
  return known ? null : fail(machine, 'ENOENT', 'sysctl/cpupool_op-create');
};

/** The bitmap of processors, then the structure. */
const tellProcessors = (
  machine: Machine,
  asked: Asked,
  set: bigint,
  after: Uint8Array,
  clause: 'sysctl/cpupool_op-info' | 'sysctl/cpupool_op-free',
) => {
  const { cpumap, bits } = sysctl.cpupool_op.fields;
  const to = { bitmap: wordIn(asked.bytes, cpumap.at), bits: fieldOf(asked.bytes, bits) };
  const stored = tellBitmap(machine, asked.caller, to, set, machine.config.pcpus);
  return stored.ok ? tell(stored.machine, asked, after, clause) : fail(stored.machine, 'EFAULT', clause);
};

const info: Part = (machine, asked) => {
  const told = { cpupool_id: 0, sched_id: XEN_SCHEDULER_CREDIT2, n_dom: machine.domains.length };
  const all = (1n << BigInt(machine.config.pcpus)) - 1n;
  return tellProcessors(machine, asked, all, withFields(asked.bytes, sysctl.cpupool_op, told), 'sysctl/cpupool_op-info');
};

const addCpu: Part = (machine, _asked, { cpu }) =>
  fail(machine, cpu === ANY || cpu < machine.config.pcpus ? 'ENODEV' : 'EINVAL', 'sysctl/cpupool_op-add');

/** A processor that leaves the pool is not modelled. */
const removeCpu: Part = (machine, _asked, { cpu }) => {
  const { pcpus } = machine.config;
  const which = cpu === ANY ? pcpus - 1 : cpu;
  if (which >= pcpus) return fail(machine, 'EINVAL', 'sysctl/cpupool_op-remove');
  if (waysOf(machine.config.release)['cpupool_op-processor_0'] === 'any')
    return pcpus === 1 ? fail(machine, 'EBUSY', 'sysctl/cpupool_op-remove') : null;
  return which === 0 ? fail(machine, 'EINVAL', 'sysctl/cpupool_op-remove') : null;
};

const moveDomain: Part = (machine, asked, { pool }) => {
  const domid = fieldOf(asked.bytes, sysctl.cpupool_op.fields.domid) & 0xffff;
  if (!findDomain(machine, domid)) return fail(machine, 'ESRCH', 'sysctl/cpupool_op-move');
  if (domid === asked.caller.domid) return fail(machine, 'EPERM', 'sysctl/cpupool_op-move');
  return pool === 0 ? tell(machine, asked, asked.bytes, 'sysctl/cpupool_op-move') : fail(machine, 'ENOENT', 'sysctl/cpupool_op-move');
};

/** Operations that want their pool to be there. */
const OF_A_POOL: readonly number[] = [OP.DESTROY, OP.INFO, OP.ADDCPU, OP.RMCPU];
const PARTS: Readonly<Record<number, Part>> = {
  [OP.CREATE]: create,
  [OP.DESTROY]: (machine) => fail(machine, 'EBUSY', 'sysctl/cpupool_op-destroy'),
  [OP.INFO]: info,
  [OP.ADDCPU]: addCpu,
  [OP.RMCPU]: removeCpu,
  [OP.MOVEDOMAIN]: moveDomain,
  [OP.FREEINFO]: (machine, asked) => tellProcessors(machine, asked, 0n, asked.bytes, 'sysctl/cpupool_op-free'),
};

const SIGN = 0x80000000;
/** sysctl/cpupool_op-none: a number below zero, which INFO takes for the next pool's. */
const isTakenForNext = ({ config }: Machine, op: number, pool: number): boolean =>
  op === OP.INFO && pool >= SIGN && waysOf(config.release)['cpupool_op-info_beyond'] === 'next';

export const cpupoolOp: Rule = (machine, asked) => {
  const { op, cpupool_id: pool, cpu } = fieldsOf(asked.bytes, sysctl.cpupool_op);
  const part = PARTS[op];
  if (!part) return fail(machine, 'ENOSYS', 'sysctl/cpupool_op-unknown');
  if (pool !== 0 && OF_A_POOL.includes(op) && !isTakenForNext(machine, op, pool)) return fail(machine, 'ENOENT', 'sysctl/cpupool_op-none');
  return part(machine, asked, { op, pool, cpu });
};

export const schedulerOp: Rule = (machine, asked) => {
  const { cpupool_id, sched_id, question, ratelimit_us: wish } = fieldsOf(asked.bytes, sysctl.scheduler_op);
  const { putinfo, getinfo } = XEN_SYSCTL_SCHEDOP;
  if (question !== putinfo && question !== getinfo) return fail(machine, 'EINVAL', 'sysctl/scheduler_op-scheduler');
  if (cpupool_id !== 0) return fail(machine, 'ESRCH', 'sysctl/scheduler_op-scheduler');
  if (sched_id !== XEN_SCHEDULER_CREDIT2) return fail(machine, 'EINVAL', 'sysctl/scheduler_op-scheduler');
  const set = question === putinfo;
  if (set && wish !== 0 && (wish < RATELIMIT.least || wish > RATELIMIT.most))
    return fail(machine, 'EINVAL', 'sysctl/scheduler_op-ratelimit');
  const m = set ? { ...machine, tuning: { ...machine.tuning, ratelimit: wish } } : machine;
  const ratelimit_us = m.tuning?.ratelimit ?? RATELIMIT.atFirst;
  return tell(m, asked, withFields(asked.bytes, sysctl.scheduler_op, { ratelimit_us }), 'sysctl/scheduler_op-ratelimit');
};
