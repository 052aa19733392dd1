/** HYPERVISOR_physdev_op(cmd, arg): virtual IOPL and I/O bitmaps. Chapter: spec/chapters/emulation.md. */
import { type SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { IO_BITMAP_BYTES, IO_PORTS, physdev } from '#spec/abi/physdev.ts';
import type { VcpuRef } from '#spec/event.ts';
import { arrayOk, copyFromGuest } from '../../guest_copy.ts';
import { updateVcpu } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import type { Word } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { pirqEoiGmfn } from './eoi_map.ts';

/** One operation; `arg` is the address of its structure. */
export type PhysdevOperation = (machine: Machine, caller: VcpuRef, arg: Word) => HypercallResult;

const MOST_IOPL = 3;

const set_iopl: PhysdevOperation = (machine, caller, arg) => {
  const copied = copyFromGuest(machine, caller, arg, physdev.set_iopl.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'physdev/set_iopl-fault');
  const iopl = fieldOf(copied.bytes, physdev.set_iopl.fields.iopl);
  if (iopl > MOST_IOPL) return fail(copied.machine, 'EINVAL', 'physdev/set_iopl-level');
  return done(updateVcpu(copied.machine, caller, { iopl }), 'physdev/set_iopl-done');
};

const set_iobitmap: PhysdevOperation = (machine, caller, arg) => {
  const { size, fields } = physdev.set_iobitmap;
  const copied = copyFromGuest(machine, caller, arg, size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'physdev/set_iobitmap-fault');
  const address = wordIn(copied.bytes, fields.bitmap.at);
  const ports = fieldOf(copied.bytes, fields.nr_ports);
  if (!arrayOk(address, IO_BITMAP_BYTES, 1) || ports > IO_PORTS) return fail(copied.machine, 'EINVAL', 'physdev/set_iobitmap-argument');
  return done(updateVcpu(copied.machine, caller, { ioBitmap: { address, ports } }), 'physdev/set_iobitmap-done');
};

type Name = keyof typeof SUBOPERATIONS.physdev_op;

/** By name; what is absent is not modelled. */
export const PHYSDEV_OPERATIONS: Readonly<Partial<Record<Name, PhysdevOperation>>> = {
  set_iopl,
  set_iobitmap,
  pirq_eoi_gmfn_v1: pirqEoiGmfn,
  pirq_eoi_gmfn_v2: pirqEoiGmfn,
};

export const physdev_op: Perform = (machine, caller, [cmd, arg]) => {
  const name = suboperation('physdev_op', cmd.lo) as Name | undefined;
  if (!name) return fail(machine, 'ENOSYS', 'physdev/op-unknown');
  const operation = PHYSDEV_OPERATIONS[name];
  return operation ? operation(machine, caller, arg) : notModelled(machine, caller, `physdev_op/${name}`);
};
