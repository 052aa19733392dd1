/** Operands: what is known when the image is built, and code that finds the rest when it runs. */
import type { Page, Value } from '#spec/program.ts';
import { addressOf, at, imm, via } from '../asm/operand.ts';
import { GRANT, HYPERCALL_PAGE, PROGRAMS, SHARED_INFO, USER_TABLES, USER_WINDOW, VAR, VIRT_BASE } from '../layout.ts';
import { type Context, R } from './context.ts';

/** 64 bits of a literal. */
export const literal = (value: number | string): bigint => BigInt.asUintN(64, BigInt(value));

/** Virtual address of a page that always lies at the same place; null for those that Xen chooses. */
const fixedAddress = (c: Context, page: Page): number | null => {
  if (typeof page === 'number') return c.pool + 4096 * page;
  switch (page) {
    case 'shared_info':
      return SHARED_INFO;
    case 'hypercall':
      return HYPERCALL_PAGE;
    case 'code':
      return PROGRAMS;
    case 'grant0':
    case 'grant1':
    case 'grant2':
    case 'grant3':
      return GRANT + 4096 * Number(page[5]);
    case 'user_l4':
    case 'user_l3':
    case 'user_l2':
    case 'user_l1':
      return USER_TABLES + 4096 * (4 - Number(page[6]));
    default:
      return null;
  }
};

const HANDLERS = { event: 'event_callback', failsafe: 'failsafe_callback', syscall: 'syscall_callback', nmi: 'nmi_callback' } as const;

/** The value when it does not depend on the run; null otherwise. */
export const constantOf = (c: Context, value: Value): bigint | null => {
  if (typeof value !== 'object') return literal(value);
  if ('step' in value) return c.slotOf(value) === 0 ? literal(value.else ?? 0) : null;
  if ('now' in value) return null;
  if ('handler' in value) {
    if (value.handler === 'catch') return BigInt(c.a.addressOf('catch_stubs') + 16 * (value.vector ?? 0));
    if (value.handler === 'resume') return BigInt(c.a.addressOf('resume_stubs') + 16 * ((value.vector ?? 0) & 31));
    return BigInt(c.a.addressOf(HANDLERS[value.handler]));
  }
  const address = fixedAddress(c, value.page);
  const plus = value.plus ?? 0;
  if (value.as === 'user_va') return typeof value.page === 'number' ? BigInt(USER_WINDOW + 4096 * value.page + plus) : 0n;
  if (address === null) return null;
  if (value.as === 'va') return BigInt.asUintN(64, BigInt(address + plus));
  if (value.as === 'pfn') return BigInt(((address - VIRT_BASE) >> 12) + plus);
  return null;
};

/** Code that loads a page's address into RAX. */
const loadAddress = (c: Context, page: Page) => {
  const fixed = fixedAddress(c, page);
  if (fixed !== null) return c.load('rax', fixed);
  if (page === 'l1') {
    c.load('rax', c.pool);
    c.call('entry_of');
    return c.a.op('and', R.rax, imm(-4096));
  }
  const variable = page === 'start_info' ? VAR.start_info : page === 'l4' ? VAR.l4 : page === 'l3' ? VAR.l3 : VAR.l2;
  c.a.op('mov', R.rax, at(64, variable));
};

const loadFrame = (c: Context, page: Page) => {
  if (page === 'shared_info') return c.a.op('mov', R.rax, at(64, VAR.shared_mfn));
  if (typeof page === 'string' && page.startsWith('grant')) return c.a.op('mov', R.rax, at(64, VAR.grant_mfn + 8 * Number(page[5])));
  const address = fixedAddress(c, page);
  if (address !== null) {
    c.a.op('mov', R.rax, at(64, VAR.p2m));
    return c.a.op('mov', R.rax, via(64, 'rax', 8 * ((address - VIRT_BASE) >> 12)));
  }
  loadAddress(c, page);
  c.call('frame_of');
};

const addToRax = (c: Context, plus: number | bigint) => {
  if (BigInt(plus) === 0n) return;
  const wide = BigInt.asIntN(64, BigInt(plus));
  if (wide >= -0x80000000n && wide <= 0x7fffffffn) return c.a.op('add', R.rax, imm(wide));
  c.load('rcx', plus);
  c.a.op('add', R.rax, R.rcx);
};

/** Code that loads a value into RAX; it may change RCX, RDX, RSI and R8 too. */
export const loadValue = (c: Context, value: Value) => {
  const constant = constantOf(c, value);
  if (constant !== null) return c.load('rax', constant);
  if (typeof value !== 'object' || 'handler' in value) return;
  if ('step' in value) return c.a.op('mov', R.rax, at(64, c.slotOf(value)));
  if ('now' in value) {
    c.call('now');
    return addToRax(c, value.now);
  }
  const plus = value.plus ?? 0;
  switch (value.as) {
    case 'entry_va':
    case 'entry_maddr':
      loadAddress(c, value.page);
      c.call('entry_of');
      if (value.as === 'entry_maddr') c.a.op('mov', R.rax, R.rdx);
      return addToRax(c, plus);
    case 'va':
      loadAddress(c, value.page);
      return addToRax(c, plus);
    case 'pfn':
      loadAddress(c, value.page);
      c.a.op('sub', R.rax, imm(VIRT_BASE));
      c.a.op('shr', R.rax, imm(12));
      return addToRax(c, plus);
    case 'mfn':
      loadFrame(c, value.page);
      return addToRax(c, plus);
    default: {
      loadFrame(c, value.page);
      c.a.op('shl', R.rax, imm(12));
      addToRax(c, plus);
      if (value.as !== 'pte') return;
      c.load('rcx', literal(value.flags ?? 0));
      c.a.op('or', R.rax, R.rcx);
    }
  }
};

/** Load a label's address into a 32-bit register. */
export const loadLabel = (c: Context, register: 'esi' | 'edx', label: string) => c.a.op('mov32', R[register], addressOf(label));
