/** The far CALL or JMP that came to a call gate, as Xen's emulator decodes it. */
import type { Instruction } from '../../cpu/instruction.ts';
import { NO_REGISTER } from '../../cpu/instruction.ts';
import { CS, DS, RBP, RSP, SS_REG } from '../../cpu/interface.ts';
import type { Described } from '../../cpu/pv_entry.ts';
import { accessOk, guestToMachine } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { injectPageFault } from '../trap/inject.ts';
import type { Vcpu } from '../vcpu.ts';

export type Branch = { readonly kind: 'call' | 'jump'; readonly name: string; readonly selector: number; readonly length: number };

const CALL_DIRECT = 0x9a;
const JUMP_DIRECT = 0xea;
const GROUP_5 = 0xff;
const KINDS = { 3: 'call', 5: 'jump' } as const;
const NAMES = { call: 'call_far', jump: 'jmp_far' } as const;
const SELECTOR_BYTES = 2;

const PRESENT_ORDINARY = 0x90;
const CODE = 8;
const READABLE = 2;

/** Null: it is no such branch, or cannot be decoded; 'fault': the guest has a page fault. */
export const decodeBranch = (machine: Machine, vcpu: Vcpu): Branch | 'fault' | null => {
  const { cpu } = vcpu;
  if (!cpu.xen.adoptCode(vcpu.savedCs)) return null;
  const instruction = cpu.instruction();
  if (instruction === null) return faultOfFetch(machine, vcpu);
  const { opcode, length, immediate2 } = instruction;
  if (opcode === CALL_DIRECT || opcode === JUMP_DIRECT) {
    const kind = opcode === CALL_DIRECT ? 'call' : 'jump';
    return { kind, name: NAMES[kind], selector: immediate2 & 0xffff, length };
  }
  const kind = opcode === GROUP_5 && instruction.memory ? KINDS[((instruction.modrm >> 3) & 7) as 3 | 5] : undefined;
  if (kind === undefined) return null;
  const selector = operandSelector(machine, vcpu, instruction);
  return typeof selector === 'number' ? { kind, name: NAMES[kind], selector, length } : selector;
};

const faultOfFetch = (machine: Machine, vcpu: Vcpu): 'fault' | null => {
  const address = vcpu.cpu.fetchFault();
  if (address === null) return null;
  const [lo, hi] = [Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n))];
  if (!accessOk(hi)) return null;
  injectPageFault(machine, vcpu, 0, lo, hi);
  return 'fault';
};

/** The word behind the offset in memory. */
const operandSelector = (machine: Machine, vcpu: Vcpu, instruction: Instruction): number | 'fault' | null => {
  const segment = segmentOf(instruction);
  const selector = segment === CS ? vcpu.savedCs : segment === SS_REG ? vcpu.savedSs : vcpu.cpu.selector(segment);
  const found = vcpu.cpu.xen.describe(selector);
  if (found === null || (segment !== CS && !isReadable(found))) return null;
  const offset = offsetOf(vcpu, instruction) + instruction.size;
  if (offset + SELECTOR_BYTES - 1 > found.limit >>> 0) return null;
  return readSelector(machine, vcpu, (found.base + offset) >>> 0);
};

const isReadable = ({ rights }: Described): boolean =>
  (rights & PRESENT_ORDINARY) === PRESENT_ORDINARY && (rights & (CODE | READABLE)) !== CODE;

const segmentOf = ({ segment, base }: Instruction): number => (segment >= 0 ? segment : base === RSP || base === RBP ? SS_REG : DS);

const offsetOf = ({ cpu }: Vcpu, { base, index, scale, displacement, address }: Instruction): number => {
  const part = (register: number): number => (register === NO_REGISTER ? 0 : cpu.gprLo(register));
  const sum = (part(base) + (part(index) << scale) + displacement) | 0;
  return address === 2 ? sum & 0xffff : sum >>> 0;
};

/** Two bytes, as Xen reads them in 64-bit mode. */
const readSelector = (machine: Machine, vcpu: Vcpu, at: number): number | 'fault' => {
  let value = 0;
  for (let i = 0; i < SELECTOR_BYTES; i++) {
    const hi = at + i > 0xffffffff ? 1 : 0;
    const found = guestToMachine(machine, vcpu, (at + i) | 0, hi, false);
    if (found < 0) {
      injectPageFault(machine, vcpu, 0, (at + i) | 0, hi);
      return 'fault';
    }
    value |= machine.memory.bytes[found] << (8 * i);
  }
  return value;
};
