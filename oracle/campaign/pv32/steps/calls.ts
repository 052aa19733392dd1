/** Calls that ask, wait, tell and connect. */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { XEN_MCA_INTERFACE_VERSION } from '#spec/abi/mca.ts';
import { call } from '../code.ts';
import { DOMID_SELF } from '../draw.ts';
import { DATA, SPARE } from '../layout.ts';
import { data, dataAt, type Family } from './family.ts';

const { vcpu_op: VCPU, sched_op: SCHED, event_channel_op: PORT, physdev_op: PHYSDEV } = SUBOPERATIONS;

export const CALLS = {
  xen_version: (d) => [...data(...d.words(4)), ...call(HYPERCALL.xen_version, d.below(14), d.pointer())],
  event_channel_op: (d) => [...data(...d.words(7)), ...call(HYPERCALL.event_channel_op, d.below(14), d.pointer())],
  ports: (d) => {
    const port = d.below(12);
    return [
      ...d.pick(data(DOMID_SELF | (DOMID_SELF << 16)), data(d.below(24), d.below(2)), data(port), data(port)),
      ...call(HYPERCALL.event_channel_op, d.pick(PORT.alloc_unbound, PORT.bind_virq, PORT.close, PORT.send, PORT.unmask), DATA),
    ];
  },
  set_timer_op: (d) => call(HYPERCALL.set_timer_op, d.pick(0, d.any()), d.pick(0, d.below(3))),
  console_io: (d) => call(HYPERCALL.console_io, d.pick(0, 0, 1, 2), d.below(20), d.pointer()),
  sched_op: (d) => [
    ...data(d.pointer(), d.below(4), d.any(), d.below(2)),
    ...call(HYPERCALL.sched_op, d.pick(SCHED.yield, SCHED.poll, SCHED.poll, 5, 6, 7, 8), d.pointer()),
  ],
  poll: (d) => [
    ...data(DATA + 64, d.below(3), 1000 + d.below(0xffff), 0),
    ...dataAt(64, d.below(10), d.below(10)),
    ...call(HYPERCALL.sched_op, SCHED.poll, DATA),
  ],
  vcpu_op: (d) => [
    ...data(...d.words(4)),
    ...call(HYPERCALL.vcpu_op, d.pick(3, 4, 4, 5, 5, 6, 7, 8, 9, 11, 12, 13, 13), d.pick(0, 0, 0, 1), d.pointer()),
  ],
  runstate_area: (d) => [
    ...data(d.pick(DATA + 0x100, DATA + 0x100, SPARE, 0, 0xf5700000, 0xf5800000)),
    ...call(HYPERCALL.vcpu_op, VCPU.register_runstate_memory_area, 0, d.pointer()),
  ],
  time_area: (d) => [
    ...data(d.pick(DATA + 0x200, DATA + 0x200, 0)),
    ...call(HYPERCALL.vcpu_op, VCPU.register_vcpu_time_memory_area, 0, d.pointer()),
  ],
  singleshot: (d) => [...data(d.any(), d.below(2), d.below(2)), ...call(HYPERCALL.vcpu_op, VCPU.set_singleshot_timer, 0, d.pointer())],
  vcpu_info: (d) => [...data(d.mfn(), 0, d.pick(0, 4, 8, 64, 4095)), ...call(HYPERCALL.vcpu_op, VCPU.register_vcpu_info, 0, d.pointer())],
  multicall: (d) => [
    ...data(HYPERCALL.xen_version, 9, d.pick(0, 8), d.pointer(), 0, 0, 0, 0),
    ...dataAt(32, d.pick(3, 18, 17, 13, 21, 32), 9, 0, 5, DATA, 0, 0, 0),
    ...call(HYPERCALL.multicall, d.pointer(), d.pick(0, 1, 1, 2)),
  ],
  physdev_op: (d) => [
    ...data(...d.words(4)),
    ...call(HYPERCALL.physdev_op, d.pick(PHYSDEV.irq_status_query, PHYSDEV.set_iopl, PHYSDEV.set_iobitmap, 12, 10, 11), d.pointer()),
  ],
  mca: (d) => [
    ...data(
      d.pick(1, 1, 2, 3, 3, 7),
      XEN_MCA_INTERFACE_VERSION,
      d.pick(0, 1, 1, 2, 5),
      d.any(),
      d.pick(0, DATA, SPARE),
      d.pick(0, d.any()),
      d.pick(0, SPARE),
    ),
    ...dataAt(28, d.pick(0, d.any())),
    ...call(HYPERCALL.mca, d.pick(DATA, DATA, d.pointer())),
  ],
  others: (d) => call(d.pick(HYPERCALL.set_segment_base, 38, 45, 60, 63, 64, 1000), d.below(5), d.pointer()),
} as const satisfies Record<string, Family>;
