/**
 * Two domains take turns: one runs its steps while the other sleeps on a port. Domain 1 allocates port 1 for domain 0 and grants its page of results
 * under reference 4; domain 0 binds to port 1 (its own is port 1 too) and maps the page. So ports, grants and results are agreed without a word.
 */
import { HYPERCALL, type HypercallName } from '#spec/abi/hypercall.ts';
import { addressOf, at, imm, via } from '../asm/operand.ts';
import { GRANT, PEER_RESULTS, RESULTS, SHARED_INFO, VAR } from '../layout.ts';
import { type Context, R } from './context.ts';
import { loadValue } from './values.ts';

/** Port that each side keeps for turns, and the grant reference of the results: a reserved one, that stays when the table's version changes. */
export const TURN_PORT = 1;
export const RESULTS_REF = 4;
/** How long a domain waits for the other before it goes on alone: a crashed domain never answers. */
const PATIENCE_NS = 1_000_000_000;
/** How often domain 0 looks whether domain 1 is up. */
export const LOOK_NS = 1_000_000;

const hypercall = (c: Context, call: HypercallName, ...args: readonly number[]): void => {
  (['rdi', 'rsi', 'rdx'] as const).forEach((register, i) => {
    c.load(register, args[i] ?? 0);
  });
  c.load('rax', HYPERCALL[call]);
  c.a.op('syscall');
};

/** Structure with 32-bit words. */
const words = (c: Context, ...values: readonly number[]): number => {
  const address = c.data.reserve(4 * values.length);
  values.forEach((value, i) => {
    c.data.put(address + 4 * i, 4, value);
  });
  return address;
};

/** Sleep until the port is signalled or the deadline passes; any other event of the domain ends the sleep early. */
const pollUntil = (c: Context, poll: number): void => hypercall(c, 'sched_op', 3, poll);

/** The turn port is only polled, never an upcall. */
const maskTurnPort = (c: Context): void => c.a.op('lock bts', at(32, SHARED_INFO + 2560), imm(TURN_PORT));

/** Domain 1's part of the introduction. */
export const offer = (c: Context): void => {
  const { a } = c;
  maskTurnPort(c);
  const frames = c.data.reserve(8);
  const setup = words(c, 0x7ff0, 1, 0, 0, frames, 0);
  hypercall(c, 'grant_table_op', 2, setup, 1);
  a.op('mov', R.rax, at(64, frames));
  c.storeRax(VAR.grant_mfn);
  a.op('shl', R.rax, imm(12));
  a.op('or', R.rax, imm(0x63));
  a.op('mov', R.rsi, R.rax);
  c.load('rdi', GRANT);
  c.load('rdx', 2);
  c.load('rax', HYPERCALL.update_va_mapping);
  a.op('syscall');
  c.load('rax', RESULTS);
  c.call('frame_of');
  c.storeRax(GRANT + 8 * RESULTS_REF + 4, 4);
  const [first] = c.domids;
  a.op('mov', at(32, GRANT + 8 * RESULTS_REF), imm(1 | (first << 16)));
  hypercall(c, 'event_channel_op', 6, words(c, 0x7ff0 | (first << 16), 0));
};

/** Domain 0's part of the introduction. */
export const accept = (c: Context): void => {
  const { a } = c;
  c.call('build_peer');
  maskTurnPort(c);
  const again = c.label();
  const met = c.label();
  const second = c.domids[1];
  const bind = words(c, second, TURN_PORT, 0);
  a.label(again);
  hypercall(c, 'event_channel_op', 0, bind);
  a.op('test', R.rax, R.rax);
  a.op('je', addressOf(met));
  const empty = words(c, 0, 0, 0, 0, 0, 0);
  loadValue(c, { now: LOOK_NS });
  c.storeRax(empty + 16);
  hypercall(c, 'sched_op', 3, empty);
  a.op('jmp', addressOf(again));
  a.label(met);
  a.op('lock btr', at(32, SHARED_INFO + 2048), imm(TURN_PORT));
  const map = words(c, PEER_RESULTS, 0, 2, RESULTS_REF, second, 0, 0, 0);
  hypercall(c, 'grant_table_op', 0, map, 1);
};

const KEPT_MASK = VAR.saved + 16;

/**
 * Keep upcalls out until the next turn. A domain that slept with upcalls on would run in the middle of the other's turn, each time that one sends
 * something, and how far both come then is for a scheduler to say.
 */
export const keepOut = (c: Context): void => {
  c.a.op('mov', R.rbx, at(64, VAR.vcpu_info));
  c.a.op('movzx', R.eax, via(8, 'rbx', 1));
  c.storeRax(KEPT_MASK);
  c.a.op('mov', via(8, 'rbx', 1), imm(1));
};

/** Let in again what may come in. */
export const letIn = (c: Context): void => {
  c.a.op('mov', R.rbx, at(64, VAR.vcpu_info));
  c.a.op('mov', R.rax, at(64, KEPT_MASK));
  c.a.op('mov', via(8, 'rbx', 1), R.al);
  c.call('enter_xen');
};

/** Let the other domain go on. */
export const handOver = (c: Context): void => hypercall(c, 'event_channel_op', 4, words(c, TURN_PORT));

/** Domain 1 sleeps for good: nobody hands over to it any more. */
export const sleep = (c: Context): void => {
  const again = c.label();
  const poll = words(c, words(c, TURN_PORT), 0, 1, 0, 0, 0);
  c.a.label(again);
  c.a.op('lock btr', at(32, SHARED_INFO + 2048), imm(TURN_PORT));
  pollUntil(c, poll);
  c.a.op('jmp', addressOf(again));
};

/** Sleep until the other domain hands over. */
export const awaitTurn = (c: Context): void => {
  const { a } = c;
  const come = c.label();
  const again = c.label();
  const deadline = VAR.saved + 8;
  const ports = words(c, TURN_PORT);
  const poll = words(c, ports, 0, 1, 0, 0, 0);
  loadValue(c, { now: PATIENCE_NS });
  c.storeRax(deadline);
  c.storeRax(poll + 16);
  a.label(again);
  a.op('lock btr', at(32, SHARED_INFO + 2048), imm(TURN_PORT));
  a.op('jb', addressOf(come));
  pollUntil(c, poll);
  c.call('now');
  a.op('cmp', R.rax, at(64, deadline));
  a.op('jb', addressOf(again));
  a.op('lock btr', at(32, SHARED_INFO + 2048), imm(TURN_PORT));
  a.op('jb', addressOf(come));
  c.say(`${c.number}. the other domain is silent`, 'line_begin');
  c.call('line_end');
  a.label(come);
};
