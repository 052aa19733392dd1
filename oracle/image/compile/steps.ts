/** The steps that are neither a hypercall nor a block of instructions. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import type { Step, StepOf, Value } from '#spec/program.ts';
import { addressOf, at, imm, via } from '../asm/operand.ts';
import { GRANT, SHARED_INFO, VAR } from '../layout.ts';
import { callsStep } from './calls.ts';
import { codeStep, excursion, fieldTable, printFields } from './code.ts';
import { type Context, R, raxOf } from './context.ts';
import { endStep } from './end.ts';
import { hypercallStep, operationName } from './hypercall.ts';
import { initialiseStep } from './second_vcpu.ts';
import { loadLabel, loadValue } from './values.ts';

/** Begin a step that is not expected to trap. */
const begin = (c: Context): string => {
  const report = c.label();
  loadLabel(c, 'esi', report);
  loadLabel(c, 'edx', report);
  c.call('step_begin');
  return report;
};

/** Report: the fields unless a trap came, then the end of the line. */
const report = (c: Context, label: string | null, title: string, fields: () => void) => {
  if (label) c.a.label(label);
  c.say(title, 'report_begin');
  const end = c.label();
  c.a.op('jne', addressOf(end));
  fields();
  c.a.label(end);
  c.call('report_end');
};

const field = (c: Context, name: string, kind: 'number' | 'signed' | 'hex', address: number, slot = 0) =>
  printFields(c, fieldTable(c, [{ name, address, size: 8, kind, slot }]));

/** A store there may change a mapping. */
const touchesTables = (value: Value): boolean =>
  typeof value === 'object' &&
  'page' in value &&
  (value.as === 'entry_va' || (typeof value.page === 'string' && /^(l|user_l)\d$/.test(value.page)));

const access = (c: Context, step: StepOf<'access'>, title: string) => {
  const { a } = c;
  const mode = step.mode ?? 'kernel';
  const register = raxOf(step.size);
  const place = via((step.size * 8) as 8 | 16 | 32 | 64, 'rbx');
  excursion(c, {
    mode,
    back: 'syscall',
    registers: { rbx: step.at, rax: step.how === 'read' || step.how === 'execute' ? 0 : (step.value ?? 0) },
    flags: 0,
    body: () => {
      if (step.how === 'read') a.op('mov', register, place);
      else if (step.how === 'write') a.op('mov', place, register);
      else if (step.how === 'swap') a.op('xchg', place, register);
      else a.op('call', R.rbx);
    },
  });
  if (step.how === 'write' && touchesTables(step.at)) c.call('flush_tlb');
  report(c, null, title, () => {
    if (step.how !== 'read' && step.how !== 'swap') return;
    const shown = step.show ?? 'hex';
    const slot = c.slotFor(step, 'rc');
    printFields(c, fieldTable(c, [{ name: 'value', address: VAR.registers, size: step.size, kind: shown, slot }]));
  });
};

const hash = (c: Context, step: StepOf<'hash'>, title: string) => {
  const label = begin(c);
  loadValue(c, { page: step.page, as: 'va' });
  c.a.op('mov', R.rsi, R.rax);
  c.call('hash_page');
  c.storeRax(VAR.rc);
  report(c, label, title, () => field(c, 'hash', 'hex', VAR.rc));
};

const upcalls = (c: Context, step: StepOf<'upcalls'>, title: string) => {
  const label = begin(c);
  c.a.op('mov', R.rax, at(64, VAR.vcpu_info));
  c.a.op('mov', via(8, 'rax', 1), imm(step.on ? 0 : 1));
  c.call('enter_xen');
  report(c, label, title, () => {});
};

const port = (c: Context, step: StepOf<'port'>, title: string) => {
  const { a } = c;
  const label = begin(c);
  loadValue(c, step.port);
  a.op('and', R.eax, imm(4095));
  const change = (base: number, on: boolean | undefined) => {
    if (on !== undefined) a.op(on ? 'lock bts' : 'lock btr', at(32, base), R.eax);
  };
  change(SHARED_INFO + 2560, step.mask);
  change(SHARED_INFO + 2048, step.pending);
  const read = (base: number, to: number) => {
    a.op('xor', R.ebx, R.ebx);
    a.op('bt', at(32, base), R.eax);
    a.op('adc', R.ebx, imm(0));
    a.op('mov', at(64, to), R.rbx);
  };
  read(SHARED_INFO + 2048, VAR.args);
  read(SHARED_INFO + 2560, VAR.args + 8);
  report(c, label, title, () => {
    field(c, 'pending', 'number', VAR.args);
    field(c, 'mask', 'number', VAR.args + 8);
  });
};

const events = (c: Context, title: string) => {
  const { a } = c;
  const label = begin(c);
  a.op('mov', R.rbx, at(64, VAR.vcpu_info));
  a.op('movzx', R.eax, via(16, 'rbx'));
  c.storeRax(VAR.args);
  a.op('mov', R.rax, via(64, 'rbx', 8));
  c.storeRax(VAR.args + 8);
  report(c, label, title, () =>
    printFields(
      c,
      fieldTable(c, [
        { name: 'upcall', address: VAR.args, size: 1, kind: 'number' },
        { name: 'masked', address: VAR.args + 1, size: 1, kind: 'number' },
        { name: 'sel', address: VAR.args + 8, size: 8, kind: 'hex' },
        { name: 'pending', address: SHARED_INFO + 2048, size: 8, kind: 'hex' },
        { name: 'mask', address: SHARED_INFO + 2560, size: 8, kind: 'hex' },
      ]),
    ),
  );
};

const TIMERS = { none: 0, singleshot: 1, set_timer_op: 2, periodic: 3 } as const;

const wait = (c: Context, step: StepOf<'wait'>, title: string) => {
  const { a } = c;
  const label = begin(c);
  if (step.how === 'block') {
    c.load('rax', step.ns);
    c.storeRax(VAR.args);
    c.load('rbx', TIMERS[step.timer]);
    c.call('wait_block');
    const awake = c.label();
    const told = c.label();
    a.op('jne', addressOf(awake));
    c.say(`${title} left out`, 'line_begin');
    c.call('report_end');
    a.op('jmp', addressOf(told));
    a.label(awake);
    report(c, label, title, () => c.call('put_result'));
    a.label(told);
    return;
  }
  const ports = step.ports ?? [];
  const list = c.data.reserve(Math.max(1, ports.length) * 4);
  ports.forEach((value, i) => {
    loadValue(c, value);
    c.storeRax(list + 4 * i, 4);
  });
  const poll = c.data.reserve(24);
  c.data.put(poll, 8, list);
  c.data.put(poll + 8, 4, ports.length);
  loadValue(c, { now: Math.max(step.ns, 1) });
  c.storeRax(poll + 16);
  c.load('rdi', 3);
  c.load('rsi', poll);
  c.load('rax', HYPERCALL.sched_op);
  a.op('syscall');
  c.storeRax(VAR.rc);
  report(c, label, title, () => c.call('put_result'));
};

const grantSetup = (c: Context, step: StepOf<'grant_setup'>, title: string) => {
  const { a } = c;
  const label = begin(c);
  const frames = c.data.reserve(8 * step.frames);
  const setup = c.data.reserve(24);
  c.data.put(setup, 2, 0x7ff0);
  c.data.put(setup + 4, 4, step.frames);
  c.data.put(setup + 16, 8, frames);
  c.load('rdi', 2);
  c.load('rsi', setup);
  c.load('rdx', 1);
  c.load('rax', HYPERCALL.grant_table_op);
  a.op('syscall');
  c.storeRax(VAR.rc);
  a.op('cmp', at(16, setup + 8), imm(0));
  a.op('jne', addressOf(label));
  for (let i = 0; i < step.frames; i++) {
    a.op('mov', R.rax, at(64, frames + 8 * i));
    c.storeRax(VAR.grant_mfn + 8 * i);
    a.op('shl', R.rax, imm(12));
    a.op('or', R.rax, imm(0x63));
    a.op('mov', R.rsi, R.rax);
    c.load('rdi', GRANT + 4096 * i);
    c.load('rdx', 2);
    c.load('rax', HYPERCALL.update_va_mapping);
    a.op('syscall');
    a.op('or', at(64, VAR.rc), R.rax);
  }
  report(c, label, title, () => {
    c.call('put_result');
    printFields(c, fieldTable(c, [{ name: 'status', address: setup + 8, size: 2, kind: 'signed' }]));
  });
};

const grantEntry = (c: Context, step: StepOf<'grant_entry'>, title: string) => {
  const { a } = c;
  const label = begin(c);
  loadValue(c, step.frame);
  c.storeRax(VAR.args);
  loadValue(c, step.ref);
  a.op('and', R.eax, imm(2047));
  a.op('lea', R.rbx, { ...via(64, 'rax'), base: null, index: 0, scale: 8, disp: GRANT });
  a.op('mov', R.rax, at(64, VAR.args));
  a.op('mov', via(32, 'rbx', 4), R.eax);
  a.op('mov', via(16, 'rbx', 2), imm(step.domid));
  a.op('mov', via(16, 'rbx', 0), imm(step.flags));
  report(c, label, title, () => {});
};

/** Name of a step's operation, as its line begins. */
export const titleOf = (step: Step): string => {
  switch (step.do) {
    case 'hypercall':
      return operationName(step.call, step.args);
    case 'code':
      return step.mode === 'user' ? 'code/user' : 'code';
    case 'access':
      return step.mode === 'user' ? `${step.how}/user` : step.how;
    case 'calls':
      return step.draws === undefined ? 'calls' : 'calls/drawn';
    case 'wait':
      return `wait/${step.how}/${step.timer}`;
    case 'upcalls':
      return step.on ? 'upcalls/on' : 'upcalls/off';
    case 'end':
      return `end/${step.how}`;
    default:
      return step.do;
  }
};

/** Code for one step. */
export const compileStep = (c: Context, step: Step) => {
  const title = `${c.number}.${step.id} ${titleOf(step)}`;
  switch (step.do) {
    case 'hypercall':
      return hypercallStep(c, step, title);
    case 'calls':
      return callsStep(c, step, title);
    case 'code':
      return codeStep(c, step, title);
    case 'access':
      return access(c, step, title);
    case 'hash':
      return hash(c, step, title);
    case 'upcalls':
      return upcalls(c, step, title);
    case 'port':
      return port(c, step, title);
    case 'events':
      return events(c, title);
    case 'wait':
      return wait(c, step, title);
    case 'initialise':
      return initialiseStep(c, step, title);
    case 'grant_setup':
      return grantSetup(c, step, title);
    case 'grant_entry':
      return grantEntry(c, step, title);
    case 'end':
      return endStep(c, step, title);
    case 'rest':
      return;
  }
};
