/**
 * vCPU 1. Its kernel code takes one hypercall at a time from a mailbox, makes it, and leaves the result; in between it yields, and then
 * sleeps a little. vCPU 0 waits for the answer, yielding and then sleeping, for a bounded time: nothing it prints depends on which of them
 * runs when. A request that vCPU 1 never took is withdrawn, so that it cannot happen behind a later step's back.
 */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { cpu_user_regs, vcpu_guest_context } from '#spec/abi/sched.ts';
import { FLAT, VGCF } from '#spec/abi/xen.ts';
import type { Program, StepOf } from '#spec/program.ts';
import { addressOf, at } from '../asm/operand.ts';
import { assembleText } from '../asm/text.ts';
import { SHARED_INFO, VAR } from '../layout.ts';
import type { Placed } from './arguments.ts';
import { fieldTable, printFields } from './code.ts';
import { type Context, R } from './context.ts';
import { loadLabel, loadValue } from './values.ts';

const REGISTERS = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const;
const STACK_BYTES = 2048;
const { fields } = vcpu_guest_context;
const registers = cpu_user_regs.fields;

/** Words that both vCPUs know, by their offset in the mailbox. */
const WORD = { go: 0, busy: 8, call: 16, args: 24, result: 72, seen: 80, info: 88, tries: 96, tries1: 104, poll: 112, poll1: 136 } as const;
const MAILBOX_BYTES = 160;

const needsSecond = (program: Program): boolean =>
  program.steps.some((s) => s.do === 'initialise' || (s.do === 'hypercall' && s.vcpu === 1));

const label = (c: Context, name: string): string => `vcpu1_${c.number}_${name}`;
const word = (c: Context, name: keyof typeof WORD): number => (c.mailbox as number) + WORD[name];

/**
 * `seen` collects what came to vCPU 1: bit 0 an upcall, bit 1 an NMI, bit 2 any other trap, which vCPU 1 does not go on from. Its upcalls leave
 * the ports pending, for vCPU 0 to look at.
 */
const SOURCE = `
P_start:
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_stop_periodic_timer
  mov esi, 1
  xor edx, edx
  syscall
# Upcalls are kept out at the start.
  mov rcx, [info]
  mov byte [rcx + 1], 0
P_idle:
  mov dword [tries1], 30
  mov dword [busy], 0
P_look:
  lock btr dword [go], 0
  jb P_take
  dec dword [tries1]
  js P_nap
  mov eax, HYPERCALL_sched_op
  xor edi, edi
  xor esi, esi
  syscall
  jmp P_look
P_nap:
  call now
  add rax, 2000000
  mov [poll1 + 16], rax
  mov eax, HYPERCALL_sched_op
  mov edi, 3
  mov esi, poll1
  syscall
  jmp P_look
P_take:
  mov rdi, [args]
  mov rsi, [args + 8]
  mov rdx, [args + 16]
  mov r10, [args + 24]
  mov r8, [args + 32]
  mov r9, [args + 40]
  mov rax, [call_number]
  syscall
  mov [result], rax
  jmp P_idle

P_event:
  mov rcx, [info]
  mov byte [rcx], 0
  mov qword [rcx + 8], 0
  lock bts dword [seen], 0
  pop rcx
  pop r11
  jmp return_to_guest
P_nmi:
  lock bts dword [seen], 1
  pop rcx
  pop r11
  jmp return_to_guest
P_trap:
  lock bts dword [seen], 2
P_gone:
  mov eax, HYPERCALL_vcpu_op
  mov edi, 2
  mov esi, 1
  xor edx, edx
  syscall
  jmp P_gone

# Out ZF: vCPU 1 is there and has nothing to do
P_wait:
  mov dword [tries], 60
P_yield:
  cmp dword [busy], 0
  je P_waited
  mov eax, HYPERCALL_sched_op
  xor edi, edi
  xor esi, esi
  syscall
  dec dword [tries]
  jne P_yield
  mov dword [tries], 40
P_sleep:
  cmp dword [busy], 0
  je P_waited
  call now
  add rax, 1000000
  mov [poll + 16], rax
  mov eax, HYPERCALL_sched_op
  mov edi, 3
  mov esi, poll
  syscall
  dec dword [tries]
  jne P_sleep
  cmp dword [busy], 0
P_waited:
  ret

# Hand over the call in the mailbox. Out ZF: it was made, and VAR.rc is its result
P_request:
  mov dword [busy], 1
  mov dword [go], 1
  call P_wait
  je P_answered
  lock btr dword [go], 0
  jae P_silent
  mov dword [busy], 0
P_silent:
  cmp esp, 0
  ret
P_answered:
  mov rax, [result]
  mov [VAR.rc], rax
  cmp eax, eax
  ret
`;

const constants = (c: Context): Readonly<Record<string, number>> => ({
  HYPERCALL_vcpu_op: HYPERCALL.vcpu_op,
  HYPERCALL_sched_op: HYPERCALL.sched_op,
  VCPUOP_stop_periodic_timer: SUBOPERATIONS.vcpu_op.stop_periodic_timer,
  'VAR.rc': VAR.rc,
  ...Object.fromEntries(Object.keys(WORD).map((name) => [name === 'call' ? 'call_number' : name, word(c, name as keyof typeof WORD)])),
});

/** vCPU 1's code and mailbox, when a step of the program needs them. */
export const emitSecond = (c: Context, program: Program): void => {
  if (!needsSecond(program)) return;
  c.mailbox = c.data.reserve(MAILBOX_BYTES);
  // Until vCPU 1 runs it cannot be asked.
  c.data.put(word(c, 'busy'), 4, 1);
  c.data.put(word(c, 'info'), 8, SHARED_INFO + 64);
  const over = c.label();
  c.a.op('jmp', addressOf(over));
  assembleText(c.a, SOURCE.replace(/\bP_/g, label(c, '')), constants(c));
  c.a.label(over);
};

/** The context, filled but for what is known only when the program runs. */
const context = (c: Context): number => {
  const start = c.data.reserve(vcpu_guest_context.size);
  const set = (offset: number, value: number) => c.data.put(start + offset, 8, value);
  const stack = c.data.reserve(STACK_BYTES, 16) + STACK_BYTES;
  const register = (name: keyof typeof registers, value: number) => set(fields.user_regs.at + registers[name].at, value);
  set(fields.flags.at, VGCF.in_kernel);
  register('cs', FLAT.RING3_CS64);
  register('ss', FLAT.RING3_SS64);
  register('rsp', stack);
  register('rflags', 0x202);
  set(fields.kernel_ss.at, FLAT.RING3_SS64);
  set(fields.kernel_sp.at, stack);
  return start;
};

const TRAPS = 32;
const NMI = 2;

/** Code that stores the addresses of the second vCPU's code, and its page table. */
const fillContext = (c: Context, start: number): void => {
  const { a } = c;
  const store = (offset: number, name: string) => {
    a.op('mov32', R.eax, addressOf(label(c, name)));
    c.storeRax(start + offset);
  };
  store(fields.user_regs.at + registers.rip.at, 'start');
  store(fields.event_callback_eip.at, 'event');
  store(fields.failsafe_callback_eip.at, 'trap');
  store(fields.syscall_callback_eip.at, 'trap');
  for (let vector = 0; vector < TRAPS; vector++) {
    c.data.put(start + fields.trap_ctxt.at + 16 * vector, 1, vector);
    c.data.put(start + fields.trap_ctxt.at + 16 * vector + 2, 2, FLAT.RING3_CS64);
    store(fields.trap_ctxt.at + 16 * vector + 8, vector === NMI ? 'nmi' : 'trap');
  }
  loadValue(c, { page: 'l4', as: 'maddr' });
  c.storeRax(start + fields.ctrlreg.at + 24);
};

export const initialiseStep = (c: Context, step: StepOf<'initialise'>, title: string): void => {
  const { a } = c;
  const report = c.label();
  loadLabel(c, 'esi', report);
  loadLabel(c, 'edx', report);
  c.call('step_begin');
  const start = context(c);
  fillContext(c, start);
  for (const { at: offset, value } of step.words ?? []) {
    loadValue(c, value);
    c.storeRax(start + offset);
  }
  c.load('rdi', SUBOPERATIONS.vcpu_op.initialise);
  c.load('rsi', step.vcpu ?? 1);
  c.load('rdx', start);
  c.load('rax', HYPERCALL.vcpu_op);
  a.op('syscall');
  c.storeRax(VAR.rc);
  a.label(report);
  c.say(title, 'report_begin');
  const end = c.label();
  a.op('jne', addressOf(end));
  c.call('put_result');
  a.label(end);
  c.call('report_end');
};

/** Instead of SYSCALL here: vCPU 1 makes the call. Without an answer the step prints nothing else. */
export const requestCall = (c: Context, number: number, placed: readonly Placed[], silent: string): void => {
  const { a } = c;
  a.op('call', addressOf(label(c, 'wait')));
  a.op('jne', addressOf(silent));
  REGISTERS.forEach((_, i) => {
    const p = placed[i];
    if (p !== undefined && !('constant' in p)) a.op('mov', R.rax, at(64, VAR.args + 8 * i));
    else c.load('rax', p?.constant ?? 0n);
    c.storeRax(word(c, 'args') + 8 * i);
  });
  c.load('rax', number);
  c.storeRax(word(c, 'call'));
  a.op('call', addressOf(label(c, 'request')));
  a.op('jne', addressOf(silent));
};

/** Behind the step's other fields: what came to vCPU 1 since the last answer. */
export const printSeen = (c: Context): void => {
  const { a } = c;
  a.op('xor', R.eax, R.eax);
  a.op('xchg', at(64, word(c, 'seen')), R.rax);
  c.storeRax(VAR.rc);
  printFields(c, fieldTable(c, [{ name: 'seen', address: VAR.rc, size: 8, kind: 'number' }]));
};

/** vCPU 1's vcpu_info is elsewhere now. */
export const movedInfo = (c: Context): void => {
  if (c.mailbox !== undefined) c.storeRax(word(c, 'info'));
};

/** The line of a request that nobody answered. */
export const reportSilence = (c: Context, title: string): void => {
  c.say(`${title} silent`, 'line_begin');
  c.call('report_end');
};
