/** machphys_mfn_list, machphys_mapping: where the machine-to-phys table is. */
import { ERRNO } from '#spec/abi/errno.ts';
import { MACH2PHYS, memory } from '#spec/abi/memory.ts';
import { copyToGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { offsetHi, offsetLo, readArgument, writeArgument } from './argument.ts';

/** Entries in 2 MiB of the table, and frames that those take. */
const ENTRIES_IN_EXTENT = 0x40000;
const FRAMES_IN_EXTENT = 512;

/** The first frame of each 2 MiB of the table. */
export const machphysMfnList = (machine: Machine, vcpu: Vcpu, args: Int32Array): number =>
  listTable(machine, vcpu, args, ENTRIES_IN_EXTENT);

/** The table of 32-bit domains has entries of half the size. It lies somewhere in Xen's memory, and no guest can look at it. */
export const machphysCompatMfnList = (machine: Machine, vcpu: Vcpu, args: Int32Array): number =>
  machine.ways['machphys_compat-built'] === 'listed' ? listTable(machine, vcpu, args, 2 * ENTRIES_IN_EXTENT) : -ERRNO.EOPNOTSUPP;

const listTable = (machine: Machine, vcpu: Vcpu, args: Int32Array, entriesInExtent: number): number => {
  const { size, fields } = memory.machphys_mfn_list;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  const listLo = scratch.getInt32(fields.extent_start.at, true);
  const listHi = scratch.getInt32(fields.extent_start.at + 4, true);
  const { config } = machine;
  const count = Math.min(scratch.getUint32(fields.max_extents.at, true), Math.ceil(config.frames / entriesInExtent));
  const frame = new Uint8Array(8);
  for (let i = 0; i < count; i++) {
    new DataView(frame.buffer).setUint32(0, config.layout.m2p_first + FRAMES_IN_EXTENT * i, true);
    if (!copyToGuest(machine, vcpu, offsetLo(listLo, 8 * i), offsetHi(listLo, listHi, 8 * i), 8, frame)) return -ERRNO.EFAULT;
  }
  scratch.setUint32(fields.nr_extents.at, count, true);
  return writeArgument(machine, vcpu, args, size) ? 0 : -ERRNO.EFAULT;
};

/** Where guests see it. */
export const machphysMapping = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.machphys_mapping;
  scratch.setBigUint64(fields.v_start.at, MACH2PHYS.v_start, true);
  scratch.setBigUint64(fields.v_end.at, MACH2PHYS.v_end, true);
  const entries = vcpu.domain.privileged ? BigInt(machine.config.frames) : MACH2PHYS.entries;
  scratch.setBigUint64(fields.max_mfn.at, entries - 1n, true);
  return writeArgument(machine, vcpu, args, size) ? 0 : -ERRNO.EFAULT;
};
