/** Ends other than an orderly poweroff. Each says so on its line first. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { FLAT } from '#spec/abi/xen.ts';
import type { StepOf } from '#spec/program.ts';
import { at, imm, via } from '../asm/operand.ts';
import { USER_STACK_TOP, VAR } from '../layout.ts';
import { type Context, R } from './context.ts';
import { loadValue } from './values.ts';

export const endStep = (c: Context, step: StepOf<'end'>, title: string) => {
  const { a } = c;
  const hypercall = (number: number) => {
    c.load('rax', number);
    a.op('syscall');
  };
  c.say(step.how === 'shutdown' ? `${title} reason=${step.reason ?? 3}` : title, 'line_begin');
  c.call('report_end');
  if (c.domains === 2 && c.domain === 0) c.call('show_peer');
  switch (step.how) {
    case 'shutdown': {
      const reason = c.data.reserve(8);
      c.data.put(reason, 4, step.reason ?? 3);
      c.load('rdi', 2);
      c.load('rsi', reason);
      return hypercall(HYPERCALL.sched_op);
    }
    case 'unhandled':
      // An empty trap table: no vector has a handler.
      c.load('rdi', 0);
      hypercall(HYPERCALL.set_trap_table);
      return a.op('ud2');
    case 'bad_stack':
      loadValue(c, step.at ?? 0x10000);
      a.op('mov', R.rsp, R.rax);
      return a.op('ud2');
    case 'bad_iret':
      loadValue(c, step.at ?? 0x10000);
      a.op('mov', R.rsp, R.rax);
      return hypercall(HYPERCALL.iret);
    case 'vcpu_down':
      c.load('rdi', 2);
      c.load('rsi', 0);
      c.load('rdx', 0);
      return hypercall(HYPERCALL.vcpu_op);
    case 'no_event_callback': {
      for (const register of ['rdi', 'rsi', 'rdx'] as const) c.load(register, 0);
      hypercall(HYPERCALL.set_callbacks);
      const bind = c.data.reserve(8);
      c.load('rdi', 7);
      c.load('rsi', bind);
      hypercall(HYPERCALL.event_channel_op);
      a.op('mov', R.rax, at(64, VAR.vcpu_info));
      a.op('mov', via(8, 'rax', 1), imm(0));
      c.load('rdi', 4);
      c.load('rsi', bind + 4);
      return hypercall(HYPERCALL.event_channel_op);
    }
    case 'user_without_table': {
      const table = c.data.reserve(24);
      c.data.put(table, 4, 15);
      c.load('rdi', table);
      c.load('rsi', 1);
      c.load('rdx', 0);
      c.load('r10', 0x7ff0);
      hypercall(HYPERCALL.mmuext_op);
      for (const word of [FLAT.RING3_SS64, USER_STACK_TOP, 0x202, FLAT.RING3_CS64, USER_STACK_TOP, 0, 0, 0, 0]) a.op('push', imm(word));
      return hypercall(HYPERCALL.iret);
    }
  }
};
