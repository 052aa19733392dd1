/** HYPERVISOR_mca(u_mc): machine checks, of which there were none. Chapter: spec/chapters/privileged.md. */
import type { Field } from '#spec/abi/layout.ts';
import { mca as MCA, XEN_MC, XEN_MC_FETCH, XEN_MC_NODATA, XEN_MCA_INTERFACE_VERSION } from '#spec/abi/mca.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { isZero, type Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { fieldOf, withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { describeProcessor } from './logical_cpu.ts';

/** `bytes`: the whole structure, which lies at `at`. */
type Asked = { readonly caller: VcpuRef; readonly at: Word; readonly bytes: Uint8Array };

/** compat/mca-address: in all else the structures of 32-bit callers are the same. */
const addressIn = (machine: Machine, { caller, bytes }: Asked, { at }: Field): Word =>
  wordIn(bytes, at, domainOf(machine, caller.domid).pv32 ? 4 : 8);

export const mca: Perform = (machine, caller, [at]) => {
  if (!isControlDomain(caller)) return fail(machine, 'EPERM', 'control/privilege');
  const read = copyFromGuest(machine, caller, at, MCA.head.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'mca/argument-fault');
  const { bytes } = read;
  const m = domainOf(machine, caller.domid).pv32 ? cite(read.machine, 'compat/mca-address') : read.machine;
  const { cmd, interface_version } = MCA.head.fields;
  if (fieldOf(bytes, interface_version) !== XEN_MCA_INTERFACE_VERSION) return fail(m, 'EACCES', 'mca/version');
  switch (fieldOf(bytes, cmd)) {
    case XEN_MC.fetch:
      return fetchEntry(m, { caller, at, bytes });
    case XEN_MC.physcpuinfo:
      return physcpuinfo(m, { caller, at, bytes });
    case XEN_MC.msrinject:
    case XEN_MC.mceinject:
    case XEN_MC.inject_v2:
      return notModelled(m, caller, 'mca');
    default:
      return fail(m, 'EINVAL', 'mca/command-unknown');
  }
};

/** The answer, once the whole structure is the guest's again. */
const tell = (m: Machine, { caller, at }: Asked, after: Uint8Array, clause: ClauseId): HypercallResult => {
  const written = copyToGuest(m, caller, at, after);
  return written.ok ? done(written.machine, clause) : fail(written.machine, 'EFAULT', clause);
};

const fetchEntry = (m: Machine, asked: Asked): HypercallResult => {
  const { flags, data } = MCA.fetch.fields;
  const given = fieldOf(asked.bytes, flags);
  const urgent = (given & XEN_MC_FETCH.URGENT) !== 0;
  const nonurgent = (given & XEN_MC_FETCH.NONURGENT) !== 0;
  if (urgent === nonurgent) return fail(m, 'EINVAL', 'mca/fetch-flags');
  if (given & XEN_MC_FETCH.ACK) return done(m, 'mca/fetch-ack');
  if (isZero(addressIn(m, asked, data))) return fail(m, 'EINVAL', 'mca/fetch-buffer');
  return tell(m, asked, withFields(asked.bytes, MCA.fetch, { flags: XEN_MC_NODATA, fetch_id: 0 }), 'mca/fetch-nothing');
};

const physcpuinfo = (m: Machine, asked: Asked): HypercallResult => {
  const { ncpus, info } = MCA.physcpuinfo.fields;
  const online = m.config.pcpus;
  const place = addressIn(m, asked, info);
  const counted = (count: number) => withFields(asked.bytes, MCA.physcpuinfo, { ncpus: count });
  if (isZero(place)) return tell(m, asked, counted(online), 'mca/physcpuinfo-count');
  const room = fieldOf(asked.bytes, ncpus) | 0;
  if (room <= 0) return fail(m, room === 0 ? 'EINVAL' : 'ENOMEM', 'mca/physcpuinfo-none');
  // How packages hold cores was not measured on a machine with more than one processor.
  if (online > 1) return notModelled(m, asked.caller, 'mca');
  const described = copyToGuest(cite(m, 'mca/physcpuinfo-processor'), asked.caller, place, describeProcessor(m.config));
  const told = tell(described.machine, asked, counted(1), 'mca/physcpuinfo-done');
  return described.ok ? told : fail(told.machine, 'EFAULT', 'mca/physcpuinfo-done');
};
