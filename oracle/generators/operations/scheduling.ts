/** sched_op, vcpu_op, timers: what neither sleeps nor ends anything. */
import type { Argument } from '#spec/program.ts';
import { PAGES } from '../state.ts';
import { type Args, mfn, type Operation, operation, POINTERS, struct, va, wrong, wrongField } from './operation.ts';

const FAR = { now: 100_000_000_000 } as const;
const AREA = va(PAGES.times, 512);
const VCPU = wrong(1, 'vcpu', { absent: 1, 'absent too': 2, beyond: 128, far: '0xffffffff' });
const COMMAND = wrong(0, 'command', { unknown: 50 });

const sched = (name: string, command: number, argument: Argument, more: Parameters<typeof operation>[2] = {}): Operation =>
  operation(`sched_op/${name}`, [command, argument], { ...more, faults: [COMMAND, ...(more.faults ?? [])] });
const vcpu = (name: string, command: number, argument: Argument, more: Parameters<typeof operation>[2] = {}): Operation =>
  operation(`vcpu_op/${name}`, [command, 0, argument], { ...more, faults: [COMMAND, VCPU, ...(more.faults ?? [])] });

/** A poll that ends at once: its time has passed. */
const poll = (ports: readonly Argument[], nr_ports: number = ports.length): Args => [
  3,
  struct('sched.poll', { ports: { array: ports as never, size: 4 }, nr_ports, timeout: 1 }),
];

export const SCHEDULING: readonly Operation[] = [
  sched('yield', 0, 0, { faults: [wrong(1, 'argument', POINTERS)] }),
  sched('shutdown', 2, struct('sched.shutdown', { reason: 0 }), { onlyWrong: true }),
  operation('sched_op/poll', poll([1, 2]), {
    variants: [poll([]), poll([1]), poll([3, 1, 2])],
    faults: [
      COMMAND,
      wrongField(1, 'nr_ports', { many: 129, most: '0xffffffff' }),
      wrongField(1, 'ports', { beyond: { array: [1, '0x20000'], size: 4 } }),
    ],
  }),
  sched('remote_shutdown', 4, struct('sched.remote_shutdown', { domain_id: 0x7fe0, reason: 0 }), { onlyWrong: true }),
  sched('shutdown_code', 5, struct('sched.shutdown', { reason: 0 }), { variants: [[5, struct('sched.shutdown', { reason: 3 })]] }),
  sched('watchdog', 6, struct('sched.watchdog', { id: 0, timeout: 1000 }), {
    variants: [1, 2].flatMap((id) => [0, 2000].map((timeout): Args => [6, struct('sched.watchdog', { id, timeout })])),
    faults: [wrongField(1, 'id', { beyond: 3, far: '0xffffffff' })],
  }),
  sched('pin_override', 7, struct('sched.pin_override', { pcpu: -1 }), {
    variants: [[7, struct('sched.pin_override', { pcpu: 0 })]],
    faults: [wrongField(1, 'pcpu', { absent: 1000, negative: -2 })],
  }),
  vcpu('initialise', 0, 0, { onlyWrong: true, faults: [wrong(2, 'context', { unmapped: '0x10000', xen: '0xffff830000000000' })] }),
  vcpu('up', 1, 0),
  vcpu('is_up', 3, 0),
  operation('vcpu_op/down', [2, 1, 0], {
    onlyWrong: true,
    faults: [COMMAND, wrong(1, 'vcpu', { 'absent too': 2, far: '0xffffffff' })],
  }),
  vcpu('get_runstate_info', 4, struct('vcpu.runstate_info')),
  vcpu('register_runstate_memory_area', 5, struct('vcpu.register_runstate_memory_area', { addr: AREA }), {
    variants: [[5, 0, struct('vcpu.register_runstate_memory_area', { addr: va(PAGES.times, 1024) })]],
  }),
  vcpu('set_periodic_timer', 6, struct('vcpu.set_periodic_timer', { period_ns: 100_000_000_000 }), {
    faults: [wrongField(2, 'period_ns', { short: 1, long: '0xffffffffffffffff' })],
  }),
  vcpu('stop_periodic_timer', 7, 0),
  vcpu('set_singleshot_timer', 8, struct('vcpu.set_singleshot_timer', { timeout_abs_ns: FAR, flags: 1 }), {
    variants: [[8, 0, struct('vcpu.set_singleshot_timer', { timeout_abs_ns: FAR, flags: 0 })]],
    faults: [wrongField(2, 'timeout_abs_ns', { past: 1 })],
  }),
  vcpu('stop_singleshot_timer', 9, 0),
  operation('vcpu_op/register_vcpu_info', [10, 0, struct('vcpu.register_vcpu_info', { mfn: mfn(PAGES.vcpu_info), offset: 0 })], {
    onlyWrong: true,
    faults: [
      COMMAND,
      wrong(1, 'vcpu', { 'absent too': 2, far: '0xffffffff' }),
      wrongField(2, 'offset', { 'across the end': 4090, far: '0xffffffff', unaligned: 1 }),
    ],
  }),
  vcpu('send_nmi', 11, 0, { onlyWrong: true }),
  vcpu('get_physid', 12, struct('vcpu.get_physid')),
  vcpu('register_vcpu_time_memory_area', 13, struct('vcpu.register_time_memory_area', { addr: va(PAGES.times, 2048) })),
  operation('set_timer_op', [FAR], { variants: [[0]] }),
];
