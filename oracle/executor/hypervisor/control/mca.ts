/** mca: what domain 0 learns about machine checks, of which there are none, and about the machine's processors. */
import { ERRNO } from '#spec/abi/errno.ts';
import {
  mca as layouts,
  MCA_CAPABILITY,
  XEN_CPU_CAPS,
  XEN_MC,
  XEN_MC_FETCH,
  XEN_MC_NODATA,
  XEN_MCA_INTERFACE_VERSION,
  XEN_VENDOR_AMD,
} from '#spec/abi/mca.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { copyFromGuest, copyToGuest, SCRATCH, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { cpuidRow, processorSignature } from '../processor_signature.ts';
import type { Vcpu } from '../vcpu.ts';

const { size: SIZE, fields: HEAD } = layouts.head;
const CPU = layouts.logical_cpu.fields;
const KNOWN: ReadonlySet<number> = new Set(Object.values(XEN_MC));
const QUEUES = XEN_MC_FETCH.NONURGENT | XEN_MC_FETCH.URGENT;
const SIGN = 0x80000000;

const u32 = (at: number): number => scratch.getUint32(at, true);
/** compat/mca-address: an address of a 32-bit caller ends where the upper half of another's begins. */
const upper = (vcpu: Vcpu, at: number): number => (vcpu.domain.compat ? 0 : scratch.getInt32(at + 4, true));

export const mca = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  if (!copyFromGuest(machine, vcpu, args[0], args[1], SIZE)) return -ERRNO.EFAULT;
  if (u32(HEAD.interface_version.at) !== XEN_MCA_INTERFACE_VERSION) return -ERRNO.EACCES;
  const cmd = u32(HEAD.cmd.at);
  switch (cmd) {
    case XEN_MC.fetch:
      return fetch(machine, vcpu, args);
    case XEN_MC.notifydomain:
      return -ERRNO.EINVAL;
    case XEN_MC.physcpuinfo:
      return physcpuinfo(machine, vcpu, args);
  }
  if (!KNOWN.has(cmd)) return -ERRNO.EINVAL;
  machine.notModelled(vcpu, 'mca');
  return -ERRNO.ENOSYS;
};

/** The whole structure goes back. */
const reply = (machine: Machine, vcpu: Vcpu, args: Int32Array, answer: Uint8Array): boolean =>
  copyToGuest(machine, vcpu, args[0], args[1], SIZE, answer);

/** Nothing has ever happened; to give back an entry that there is not is no mistake. */
const fetch = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { flags, fetch_id, data } = layouts.fetch.fields;
  const asked = u32(flags.at);
  const queue = asked & QUEUES;
  if (queue === 0 || queue === QUEUES) return -ERRNO.EINVAL;
  if ((asked & XEN_MC_FETCH.ACK) !== 0) return 0;
  if ((u32(data.at) | upper(vcpu, data.at)) === 0) return -ERRNO.EINVAL;
  scratch.setUint32(flags.at, XEN_MC_NODATA, true);
  scratch.setBigUint64(fetch_id.at, 0n, true);
  return reply(machine, vcpu, args, SCRATCH) ? 0 : -ERRNO.EFAULT;
};

/** Without a buffer the processors are counted only. One that cannot be written to does not keep the count from being told. */
const physcpuinfo = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { ncpus, info } = layouts.physcpuinfo.fields;
  const answer = SCRATCH.slice(0, SIZE);
  const [lo, hi] = [scratch.getInt32(info.at, true), upper(vcpu, info.at)];
  let written = true;
  if ((lo | hi) !== 0) {
    const room = u32(ncpus.at);
    if (room === 0) return -ERRNO.EINVAL;
    if (room >= SIGN) return -ERRNO.ENOMEM;
    if (machine.config.pcpus > 1) {
      machine.notModelled(vcpu, 'mca');
      return -ERRNO.ENOSYS;
    }
    written = copyToGuest(machine, vcpu, lo, hi, layouts.logical_cpu.size, describe(machine));
  }
  new DataView(answer.buffer).setUint32(ncpus.at, machine.config.pcpus, true);
  return reply(machine, vcpu, args, answer) && written ? 0 : -ERRNO.EFAULT;
};

/** The machine's only processor. */
const describe = ({ config }: Machine): Uint8Array => {
  const bytes = new Uint8Array(layouts.logical_cpu.size);
  const view = new DataView(bytes.buffer);
  const put = (field: { readonly at: number }, value: number): void => view.setUint32(field.at, value, true);
  const { family, model, stepping } = processorSignature(config);
  const vendor = cpuidRow(config, 0, null);
  for (const field of [CPU.ncores, CPU.ncores_active, CPU.nthreads, CPU.nmsrvals]) put(field, 1);
  put(CPU.cpuid_level, vendor?.eax ?? 0);
  put(CPU.family, family);
  put(CPU.vendor, XEN_VENDOR_AMD);
  put(CPU.model, model);
  put(CPU.step, stepping);
  const putText = (from: number, words: readonly (number | undefined)[]): void =>
    words.forEach((word, i) => {
      put({ at: from + 4 * i }, word ?? 0);
    });
  putText(CPU.vendorid.at, [vendor?.ebx, vendor?.edx, vendor?.ecx]);
  for (let part = 0; part < 3; part++) {
    const row = cpuidRow(config, 0x80000002 + part, null);
    putText(CPU.brandid.at + 16 * part, [row?.eax, row?.ebx, row?.ecx, row?.edx]);
  }
  XEN_CPU_CAPS[waysOf(config.release)['physinfo-features']].forEach(({ leaf, subleaf, register, without }, i) => {
    put({ at: CPU.cpu_caps.at + 4 * i }, (cpuidRow(config, leaf, subleaf)?.[register] ?? 0) & ~without);
  });
  put(CPU.cache_size, cacheKiB(config));
  put(CPU.cache_alignment, 8 * (((cpuidRow(config, 1, null)?.ebx ?? 0) >>> 8) & 0xff));
  view.setBigUint64(CPU.msr.at, BigInt(MCA_CAPABILITY.msr), true);
  view.setBigUint64(CPU.msr_value.at, MCA_CAPABILITY.value, true);
  return bytes;
};

/** Of the outermost cache that CPUID tells of. */
const cacheKiB = (config: Machine['config']): number => {
  const first = cpuidRow(config, 0x80000005, null);
  const outer = cpuidRow(config, 0x80000006, null);
  const third = ((outer?.edx ?? 0) >>> 18) * 512;
  const second = (outer?.ecx ?? 0) >>> 16;
  return third || second || ((first?.ecx ?? 0) >>> 24) + ((first?.edx ?? 0) >>> 24);
};
