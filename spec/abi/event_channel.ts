/** event_channel_op structures. Source: Xen public header `event_channel.h`. */
import { layout } from './layout.ts';

/** Ports 0..4095 in the two-level ABI (64-bit guests); port 0 is reserved. */
export const EVTCHN_2L_NR_CHANNELS = 4096;
export const EVTCHN_FIFO_NR_CHANNELS = 1 << 17;
/** Ports come to life in blocks of this many; a port in a living block is valid even while it is free. */
export const EVTCHNS_PER_BUCKET = 64;
/** Physical interrupts that a domain may name: 24 of the I/O APIC, and 184 (domain 0, one CPU) or 32 (others) more. */
export const NR_PIRQS = { dom0: 208, other: 56 } as const;
/** Bytes of the FIFO ABI's control block. */
export const EVTCHN_FIFO_CONTROL_BLOCK = 72;
/** The block: a bit of `ready` for each queue that has something in it, and the first port of each queue (16 of 32 bits). */
export const evtchn_fifo_control_block = layout(EVTCHN_FIFO_CONTROL_BLOCK, { ready: [0, 4], head: [8, 64] });
/** Bits of an event word, which is 32 bits wide; its low 17 bits name the next port of the queue. */
export const EVTCHN_FIFO_BIT = { pending: 31, masked: 30, linked: 29, busy: 28 } as const;
export const EVTCHN_FIFO_LINK_BITS = 17;
export const EVTCHN_FIFO_LINK_MASK = 0x1ffff;
/** Event words in a page of the event array, and how many pages it may have. */
export const EVTCHN_FIFO_WORDS_PER_PAGE = 1024;
export const EVTCHN_FIFO_MAX_PAGES = 128;
/** Priorities, which are queues of a vCPU: 0 is served first. */
export const EVTCHN_FIFO_PRIORITY = { max: 0, default: 7, min: 15 } as const;
export const EVTCHN_FIFO_QUEUES = 16;

export const EVTCHNSTAT = { closed: 0, unbound: 1, interdomain: 2, pirq: 3, virq: 4, ipi: 5 } as const;
export type EvtchnStat = keyof typeof EVTCHNSTAT;

/** struct evtchn_op, the argument of the old form: command, then the operation's structure. */
export const event_channel_op_compat = layout(28, { cmd: [0, 4], u: [4, 24] });

export const evtchn = {
  bind_interdomain: layout(12, { remote_dom: [0, 2, 'domid'], remote_port: [4, 4, 'port'], local_port: [8, 4, 'port', 'out'] }),
  bind_virq: layout(12, { virq: [0, 4, 'virq'], vcpu: [4, 4, 'vcpu'], port: [8, 4, 'port', 'out'] }),
  bind_pirq: layout(12, { pirq: [0, 4], flags: [4, 4, 'flags'], port: [8, 4, 'port', 'out'] }),
  close: layout(4, { port: [0, 4, 'port'] }),
  send: layout(4, { port: [0, 4, 'port'] }),
  /** `u` by status: unbound {dom}, interdomain {dom, port}, pirq, virq; `dom` is 16 bits at 16, `port` 32 bits at 20. */
  status: layout(24, {
    dom: [0, 2, 'domid'],
    port: [4, 4, 'port'],
    status: [8, 4, 'number', 'out'],
    vcpu: [12, 4, 'vcpu', 'out'],
    u0: [16, 4, 'number', 'out'],
    u1: [20, 4, 'port', 'out'],
  }),
  alloc_unbound: layout(8, { dom: [0, 2, 'domid'], remote_dom: [2, 2, 'domid'], port: [4, 4, 'port', 'out'] }),
  bind_ipi: layout(8, { vcpu: [0, 4, 'vcpu'], port: [4, 4, 'port', 'out'] }),
  bind_vcpu: layout(8, { port: [0, 4, 'port'], vcpu: [4, 4, 'vcpu'] }),
  unmask: layout(4, { port: [0, 4, 'port'] }),
  reset: layout(2, { dom: [0, 2, 'domid'] }),
  init_control: layout(24, { control_gfn: [0, 8, 'mfn'], offset: [8, 4], vcpu: [12, 4, 'vcpu'], link_bits: [16, 1, 'number', 'out'] }),
  expand_array: layout(8, { array_gfn: [0, 8, 'mfn'] }),
  set_priority: layout(8, { port: [0, 4, 'port'], priority: [4, 4] }),
} as const;
