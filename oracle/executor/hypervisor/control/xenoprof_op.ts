/** xenoprof_op: profiles of the machine are not modelled; what the processor counts with is told, and who may not profile it. */
import { XENOPROF_LAST, XENOPROF_UNPRIVILEGED } from '#spec/abi/control.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { XENOPROF, XENOPROF_PROCESSOR, XENOPROF_TYPE_AT, xenoprof } from '#spec/abi/xenoprof.ts';
import { TOOLS_ANSWERED } from '#spec/releases/control.ts';
import { copyFromGuest, copyToGuest, SCRATCH, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const UNPRIVILEGED: ReadonlySet<number> = new Set(Object.values(XENOPROF_UNPRIVILEGED));

export const xenoprof_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (machine.ways['xenoprof-built'] === 'absent') return -ERRNO.ENOSYS;
  const op = args[0];
  if (op < 0 || op > XENOPROF_LAST) return -ERRNO.EINVAL;
  const isPrimary = machine.hasProfiler && vcpu.domain.privileged;
  if (!UNPRIVILEGED.has(op) && !isPrimary) return -ERRNO.EPERM;
  if (TOOLS_ANSWERED[machine.config.release]) {
    if (op === XENOPROF.init) return init(machine, vcpu, args[2], args[3]);
    // Nobody was made part of a profile.
    if (op === XENOPROF.enable_virq || op === XENOPROF.disable_virq) return -ERRNO.EPERM;
  }
  machine.notModelled(vcpu, 'xenoprof_op');
  return -ERRNO.ENOSYS;
};

/** Domain 0 becomes the primary profiler, also when it cannot be told. */
const init = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { size, fields } = xenoprof.init;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const { privileged } = vcpu.domain;
  if (privileged) machine.hasProfiler = true;
  scratch.setUint32(fields.num_events.at, XENOPROF_PROCESSOR.counters, true);
  scratch.setUint32(fields.is_primary.at, privileged ? 1 : 0, true);
  SCRATCH.set(
    Uint8Array.from(`${XENOPROF_PROCESSOR.type}\0`, (c) => c.charCodeAt(0)),
    XENOPROF_TYPE_AT,
  );
  return copyToGuest(machine, vcpu, lo, hi, size) ? 0 : -ERRNO.EFAULT;
};
