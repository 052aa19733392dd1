/** Running the processor: instructions, what they want from outside, and the events between them. Chapter: spec/chapters/bare.md. */
import { NotModelled } from '#spec/failure.ts';
import { Asks } from '../cpu/x86/fault.ts';
import { IF } from '../cpu/x86/flags.ts';
import type { CpuOutcome } from '../cpu/x86/outcome.ts';
import { type Answers, questionOf } from '../cpu/x86/outside.ts';
import type { Platform } from '../cpu/x86/platform.ts';
import { cpuOf, started } from '../cpu/x86/running.ts';
import { runInstructions } from '../cpu/x86/step.ts';
import { type DeliveredEvent, type Delivery, deliver, raised } from '../cpu/x86/system/deliver.ts';
import type { Event } from '../cpu/x86/system/event.ts';
import { acknowledgeInterrupt, acknowledgeNmi, interruptRequested, nmiRequested, withTaskPriority } from '../device/devices.ts';
import type { Word } from '../word/word.ts';
import { fromBigInt, toHex } from '../word/word.ts';
import { cite, emit, type Machine } from './machine.ts';
import { carryOut } from './outside.ts';

const NMI = 2;

/** Run up to `steps` steps. What is thrown as NotModelled tells what happened in the steps before. */
export const execute = (machine: Machine, steps: number): Machine => {
  const end = machine.retired + steps;
  let m = machine;
  let careful = false;
  while (m.retired < end && m.ended === null) {
    try {
      const interrupted = deliverPending(m);
      if (interrupted !== m) m = interrupted;
      else if (m.cpu.system.activity !== 'running') break;
      else m = run(m, careful ? 1 : end - m.retired);
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      if (careful) throw telling(error, m, machine);
      // The steps before it count, so they are taken again one by one.
      careful = true;
    }
  }
  return standing(m);
};

const telling = (error: NotModelled, { events, cited, retired }: Machine, before: Machine): NotModelled => {
  error.bareBefore = { events, clauses: cited, retired: retired - before.retired };
  return error;
};

/** Told once, when the processor stands and nothing will wake it now. */
const standing = (m: Machine): Machine => {
  if (m.cpu.system.activity !== 'halted' || m.haltTold || m.ended !== null || isDeliverable(m)) return m;
  return { ...cite(emit(m, { kind: 'halted' }), ['x86/halt', 'bare/halted']), haltTold: true };
};

const nmiDeliverable = ({ devices, cpu: { system } }: Machine): boolean =>
  nmiRequested(devices) && !system.nmiBlocked && system.shadow !== 'ss';
const interruptDeliverable = ({ devices, cpu: { flags, system } }: Machine): boolean =>
  (flags & IF) !== 0 && system.shadow === 'none' && interruptRequested(devices);
const isDeliverable = (m: Machine): boolean => nmiDeliverable(m) || interruptDeliverable(m);

/** An NMI comes before an interrupt. The same machine when nothing is deliverable. */
const deliverPending = (m: Machine): Machine => {
  if (nmiDeliverable(m)) return delivering({ ...m, devices: acknowledgeNmi(m.devices) }, { vector: NMI, error: null, source: 'nmi' }, null);
  if (!interruptDeliverable(m)) return m;
  const { devices, vector } = acknowledgeInterrupt(m.devices);
  return delivering({ ...m, devices }, { vector, error: null, source: 'external' }, null);
};

/** The platform as instructions see it now: looseness `open/tsc-rate`. */
const NO_ANSWERS: Answers = new Map();
const platformOf = ({ config, now, retired, retiredAtTime }: Machine, answers = NO_ANSWERS): Platform => ({
  cpuid: config.cpuid,
  tsc: fromBigInt((BigInt(now) * BigInt(config.tsc_khz)) / 1_000_000n + BigInt(retired - retiredAtTime)),
  answers,
});

/** Take steps until something has to be looked at. While an interrupt waits for IF, that is after each. */
const run = (before: Machine, most: number): Machine => {
  const waits = interruptRequested(before.devices) || nmiRequested(before.devices);
  let m = before;
  let answers = new Map<string, Word | null>();
  for (let budget = waits ? 1 : most; ; budget = 1) {
    const outcome = runInstructions(m.cpu, m.memory, platformOf(m, answers), budget);
    m = taken(m, outcome);
    if (outcome.kind !== 'wanted') return settled(m, outcome);
    // bare/outside: what is wanted is done once, and the instruction begins again with the answers.
    if (outcome.steps > 0) answers = new Map();
    const { machine, answer } = carryOut(m, outcome.wanted);
    answers = new Map(answers).set(questionOf(outcome.wanted), answer);
    m = cite(machine, ['bare/outside']);
  }
};

/** The machine after the steps of a run; CR8 that they wrote is the local APIC's. */
const taken = (m: Machine, { cpu, memory, steps, clauses }: CpuOutcome): Machine => {
  const { cr8 } = cpu.system;
  const devices = cr8 === m.cpu.system.cr8 ? m.devices : withTaskPriority(m.devices, cr8);
  return cite({ ...m, cpu, memory, devices, retired: m.retired + steps }, clauses);
};

/** What the end of a run asks for. */
const settled = (m: Machine, outcome: CpuOutcome): Machine => {
  switch (outcome.kind) {
    case 'fault': {
      const { vector, error, address } = outcome.fault;
      const s = raised(started(m.cpu, m.memory, platformOf(m)), outcome.fault);
      return delivering({ ...m, cpu: cpuOf(s) }, { vector, error, source: 'fault' }, address);
    }
    case 'trap':
      return delivering(m, { vector: outcome.fault.vector, error: outcome.fault.error, source: 'trap' }, null);
    case 'int':
      return emit(m, { kind: 'exception', vector: outcome.vector, error: null, address: null, software: true });
    default:
      return m;
  }
};

/** bare/delivery: the event and what goes wrong on the way; a triple fault ends the machine. */
const delivering = (m: Machine, event: Event, address: Word | null, answers = NO_ANSWERS): Machine => {
  const asked = delivered(m, event, address, answers);
  if (asked instanceof Asks) {
    // A table or a stack lies where no RAM is: as with instructions, what is wanted is done once, and delivery begins again.
    const { machine, answer } = carryOut(m, asked.wanted);
    return delivering(machine, event, address, new Map(answers).set(questionOf(asked.wanted), answer));
  }
  const { state, delivered: told } = asked;
  const after = cite({ ...m, cpu: cpuOf(state), memory: state.memory, haltTold: false }, [
    event.source === 'external' || event.source === 'nmi' ? 'bare/interrupt-order' : 'bare/delivery',
    ...state.cited,
  ]);
  const all = told.reduce((now, one) => emit(now, eventOf(one)), after);
  return state.system.activity === 'shutdown' ? emit(all, { kind: 'shutdown', why: 'triple-fault' }) : all;
};

const delivered = (m: Machine, event: Event, address: Word | null, answers: Answers): Delivery | Asks => {
  try {
    return deliver(started(m.cpu, m.memory, platformOf(m, answers)), event, address);
  } catch (thrown) {
    if (thrown instanceof Asks) return thrown;
    throw thrown;
  }
};

const eventOf = ({ vector, error, source, address }: DeliveredEvent): Parameters<typeof emit>[1] =>
  source === 'external' || source === 'nmi'
    ? { kind: 'interrupt', vector }
    : { kind: 'exception', vector, error, address: address && toHex(address), software: false };
