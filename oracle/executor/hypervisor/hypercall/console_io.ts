/** console_io: the domain's console. Xen writes in pieces; a piece that cannot be read ends the call, those before it are out. */

import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { WORK } from '#spec/work.ts';
import { copyFromGuest, copyToGuest, SCRATCH } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { continueCall, shouldPreempt } from './continuation.ts';

const OP = SUBOPERATIONS.console_io;
const PIECE = 127;

export const console_io = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const count = args[2] >>> 0;
  switch (args[0]) {
    case OP.write:
      return vcpu.domain.privileged || machine.config.xen.verbose_debug ? write(machine, vcpu, count, args[4], args[5]) : minus('EPERM');
    case OP.read:
      return vcpu.domain.privileged ? read(machine, vcpu, count, args[4], args[5]) : minus('EPERM');
  }
  return minus(vcpu.domain.privileged ? 'ENOSYS' : 'EPERM');
};

const write = (machine: Machine, vcpu: Vcpu, count: number, firstLo: number, firstHi: number): number => {
  let lo = firstLo;
  let hi = firstHi;
  let left = count;
  let text = '';
  let answer = 0;
  while (left > 0) {
    if (left !== count && shouldPreempt(machine, vcpu)) {
      answer = continueCall(OP.write, 0, left, 0, lo, hi);
      break;
    }
    machine.work.spend(WORK.entry);
    const piece = Math.min(left, PIECE);
    if (!copyFromGuest(machine, vcpu, lo, hi, piece)) {
      answer = minus('EFAULT');
      break;
    }
    for (let i = 0; i < piece; i++) text += String.fromCharCode(SCRATCH[i]);
    const next = (lo >>> 0) + piece;
    if (next > 0xffffffff) hi = (hi + 1) | 0;
    lo = next | 0;
    left -= piece;
  }
  if (text !== '') {
    vcpu.domain.consoleBytes += text.length;
    machine.emit({ kind: 'console', domid: vcpu.domain.domid, bytes: text });
  }
  return answer;
};

/** As many bytes as have been typed, at most `count`. */
const read = (machine: Machine, vcpu: Vcpu, count: number, lo: number, hi: number): number => {
  if (count > 0x7fffffff) return minus('E2BIG');
  const { consoleInput } = machine;
  const take = Math.min(count, consoleInput.length);
  if (take === 0) return 0;
  if (!copyToGuest(machine, vcpu, lo, hi, take, Uint8Array.from(consoleInput.slice(0, take)))) return minus('EFAULT');
  consoleInput.splice(0, take);
  return take;
};
