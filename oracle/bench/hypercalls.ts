/** How many hypercalls a second a machine carries out: the smallest one, and a mix of what guests ask for most. */

import { boot as bootModel } from '#model/engine.ts';
import { boot as bootExecutor } from '#oracle/executor/engine.ts';
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID, FLAT } from '#spec/abi/xen.ts';
import type { Boot } from '#spec/engine.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { runEngine } from '../campaign/run.ts';
import type { Bench } from './bench.ts';
import { loopImage } from './guest.ts';
import type { Work } from './measure.ts';

export type Guest = {
  readonly name: string;
  /** Hypercalls of a round. */
  readonly calls: number;
  readonly image: (rounds: number) => Uint8Array;
};

const call = (number: number, ...moves: readonly string[]): string => `
      ${moves.join('\n      ')}
      mov eax, ${number}
      syscall`;

const evtchn = SUBOPERATIONS.event_channel_op;
const self = DOMID.SELF;

/** Ports, timers, mappings, grants, CPU state. Each round reports the same, because it leaves everything as it was. */
const MIX: readonly string[] = [
  call(HYPERCALL.xen_version, 'xor edi, edi', 'xor esi, esi'),
  call(HYPERCALL.event_channel_op, `mov edi, ${evtchn.send}`, 'mov esi, ARGS+20'),
  call(HYPERCALL.event_channel_op, `mov edi, ${evtchn.status}`, 'mov esi, ARGS+32'),
  call(HYPERCALL.set_timer_op, 'xor edi, edi'),
  call(HYPERCALL.vcpu_op, `mov edi, ${SUBOPERATIONS.vcpu_op.is_up}`, 'xor esi, esi', 'xor edx, edx'),
  call(HYPERCALL.update_va_mapping, 'mov edi, DATA', 'mov rsi, r14', 'xor edx, edx'),
  call(HYPERCALL.mmuext_op, 'mov edi, ARGS+64', 'mov esi, 1', 'xor edx, edx', `mov r10d, ${self}`),
  call(HYPERCALL.grant_table_op, `mov edi, ${SUBOPERATIONS.grant_table_op.query_size}`, 'mov esi, ARGS+96', 'mov edx, 1'),
  call(HYPERCALL.stack_switch, `mov edi, ${FLAT.RING3_SS64}`, 'mov rsi, rsp'),
  call(HYPERCALL.set_segment_base, 'xor edi, edi', 'mov esi, DATA'),
];

/** A port for an IPI, the structures, and in R14 the entry that maps DATA. */
const PREPARE = `
      mov r14, qword [rsi+MFN_LIST]
      mov r14, qword [r14+PFN*8]
      shl r14, 12
      or r14, 0x67
      mov dword [ARGS+16], 0
      ${call(HYPERCALL.event_channel_op, `mov edi, ${evtchn.bind_ipi}`, 'mov esi, ARGS+16')}
      mov ecx, dword [ARGS+20]
      mov dword [ARGS+32], ${self}
      mov dword [ARGS+36], ecx
      mov dword [ARGS+64], ${SUBOPERATIONS.mmuext_op.tlb_flush_local}
      mov dword [ARGS+96], ${self}`;

/** Page number of DATA in the guest. */
const PFN = (0x500000 - 0x400000) / 4096;

export const GUESTS: readonly Guest[] = [
  { name: 'xen_version', calls: 1, image: (rounds) => loopImage('', MIX[0]!, rounds) },
  { name: 'a mix', calls: MIX.length, image: (rounds) => loopImage(PREPARE, MIX.join(''), rounds, { PFN }) },
];

/** Runs a guest on a fresh machine; counted in hypercalls of its rounds. Throws when it does not power off. */
export const hypercallWork = (boot: Boot, { name, calls, image }: Guest, rounds: number): Work => {
  const engine = boot(debian_4_17(), [image(rounds)]);
  return () => {
    const { finish, halted } = runEngine(engine);
    engine.dispose?.();
    if (finish !== 'halted' || halted !== 0) throw new Error(`${name} on ${engine.name}: ${finish}, reason ${halted}`);
    return calls * rounds;
  };
};

const on = (name: string, boot: Boot, goal: number, hypercalls: number): readonly Bench[] =>
  GUESTS.map((guest) => ({
    name: `${name}: hypercalls, ${guest.name}`,
    unit: 'hypercalls',
    goal,
    later: true,
    round: (effort) => hypercallWork(boot, guest, Math.max(1, Math.round((hypercalls * effort) / guest.calls))),
  }));

export const hypercallBenches: readonly Bench[] = [
  ...on('model', bootModel, 300_000, 100_000),
  ...on('executor', bootExecutor, 2_000_000, 1_500_000),
];
