/** kexec_op: no kernel is ever loaded, so that the machine stays this one. Others than domain 0 are refused before any of it is looked at. */
import { KEXEC_CMD as CMD, KEXEC_RANGE, KEXEC_SEGMENT_MAX } from '#spec/abi/kexec.ts';
import type { Argument, Value } from '#spec/program.ts';
import { type Fault, type Manners, type Operation, operation, POINTERS, wrong } from './operation.ts';

const WORDS = 20;
/** A structure whose first word is given, with room for the longest. */
const structure = (first: Value, second: Value = 0): Argument => ({
  array: [first, second, ...Array.from({ length: WORDS - 2 }, () => 0)],
  size: 8,
  show: 'nothing',
});
const rightAndWrong = (kinds: Manners): readonly (readonly Fault[])[] => [
  wrong(0, 'command', { unknown: 99, 'in 64 bits': '0x100000000' }),
  wrong(1, 'argument 1', { ...POINTERS, ...kinds }),
];

const KINDS = { crash: structure(1), unknown: structure(2), far: structure(0xff) };
/** Type, architecture, number of segments. */
const image = (type: number, arch: number, segments: number): Argument =>
  structure(`0x${((BigInt(segments) << 32n) | BigInt(arch << 16) | BigInt(type)).toString(16)}`, '0x10000');

export const KEXEC: readonly Operation[] = [
  operation('kexec_op/exec', [CMD.kexec, structure(0)], { faults: rightAndWrong({ crash: structure(1), unknown: structure(2) }) }),
  // A kernel that is there in the old form is not modelled.
  operation('kexec_op/load_v1', [CMD.load_v1, structure(0)], { onlyWrong: true, faults: rightAndWrong({}) }),
  operation('kexec_op/unload_v1', [CMD.unload_v1, structure(0)], { faults: rightAndWrong(KINDS) }),
  operation('kexec_op/unload', [CMD.unload, structure(0)], { faults: rightAndWrong(KINDS) }),
  operation('kexec_op/status', [CMD.status, structure(0)], { faults: rightAndWrong(KINDS) }),
  operation('kexec_op/get_range', [CMD.get_range, structure(KEXEC_RANGE.CRASH)], {
    variants: [[CMD.get_range, structure(KEXEC_RANGE.VMCOREINFO)]],
    faults: rightAndWrong({
      processor: structure(KEXEC_RANGE.CPU),
      'no processor': structure(`0x12c0000000${KEXEC_RANGE.CPU}`),
      heap: structure(KEXEC_RANGE.XENHEAP),
      unknown: structure(9),
    }),
  }),
  operation('kexec_op/load', [CMD.load, image(0, 5, 0)], {
    faults: rightAndWrong({
      crash: image(1, 62, 0),
      unknown: image(2, 62, 0),
      'segments nowhere': image(0, 62, 1),
      'many segments': image(0, 62, KEXEC_SEGMENT_MAX),
    }),
  }),
];
