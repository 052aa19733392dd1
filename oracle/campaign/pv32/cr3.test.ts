/** MOV from and to CR3 in a 32-bit kernel, which Xen carries out. */
import { expect, test } from 'vitest';
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import { lockstep } from '../../compare/lockstep.ts';
import { loadEngine } from '../engines.ts';
import { type Code, call, keep, mov } from './code.ts';
import { DATA } from './layout.ts';
import { subjectOf } from './machine.ts';

const [reference, subject] = [await loadEngine('model'), await loadEngine('executor')];
const REASON = DATA + 0x200;
const SHUTDOWN = [...keep(REASON), ...call(HYPERCALL.sched_op, SUBOPERATIONS.sched_op.shutdown, REASON)];
const READ: Code = [0x0f, 0x20, 0xd8];
const WRITE: Code = [0x0f, 0x22, 0xd8];

/** The reason with which it shuts down. */
const run = (...code: readonly Code[]): number => {
  const program = { seed: 0, firstFrame: 0, xenStart: 0, steps: [{ family: 'cr3', code: code.flat() }] };
  const verdict = lockstep({ reference, subject }, subjectOf(program, 'dom0', REFERENCE_RELEASE), { limit: 100_000 });
  if (!verdict.agree) throw new Error(JSON.stringify(verdict.divergence.difference));
  const reasons = verdict.events.flatMap((event) => (event.kind === 'shutdown' ? [event.reason] : []));
  return reasons[0]! >>> 0;
};

test('CR3 names the L3, and can be loaded with it', () => {
  const own = run(READ, SHUTDOWN);
  expect(own & 0xfff).toBe(0);
  expect(run(READ, WRITE, mov('eax', 0), READ, SHUTDOWN)).toBe(own);
});

test('a frame of nobody is a general protection fault', () => expect(run(mov('eax', 0x7000), WRITE, SHUTDOWN)).toBe(3));
