/** Blocks of instructions over registers and pool pages. */
import type { Instruction, Step, Value } from '#spec/program.ts';
import type { Random } from '../random.ts';
import { type Family, type Generation, PAGES } from '../state.ts';

/** Registers that instructions write. RSI and RDI only point, RSP is the stack's. */
const NUMBERS = ['rax', 'rcx', 'rdx', 'rbx', 'rbp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
type Wide = (typeof NUMBERS)[number];
type Size = 8 | 16 | 32 | 64;
type Arg = Extract<Instruction, { op: string }>['args'][number];

const LOW_BYTES: Readonly<Record<string, string>> = { rax: 'al', rcx: 'cl', rdx: 'dl', rbx: 'bl', rbp: 'bpl' };
const HIGH_BYTES = ['ah', 'ch', 'dh', 'bh'] as const;
const PLAIN_BYTES = ['al', 'cl', 'dl', 'bl', ...HIGH_BYTES] as const;

const named = (register: Wide, size: Size): string => {
  if (register.length <= 3 && /^r\d/.test(register)) return `${register}${{ 8: 'b', 16: 'w', 32: 'd', 64: '' }[size]}`;
  if (size === 64) return register;
  if (size === 32) return register.replace('r', 'e');
  return size === 16 ? register.slice(1) : LOW_BYTES[register];
};

const op = (name: string, ...args: readonly Arg[]): Instruction => ({ op: name, args: [...args] });
const register = (r: Random, size: Size): string => named(r.pick(NUMBERS), size);
const size = (r: Random): Size => r.pick([8, 16, 32, 32, 64, 64, 64]);
const wide = (r: Random): 16 | 32 | 64 => r.pick([16, 32, 32, 64, 64]);

/** Somewhere in the first data pages, also across the end of one. */
const place = (r: Random, width: Size, aligned = false): Arg => {
  const disp = aligned ? 16 * r.int(0, 255) : r.one(5) ? 4096 - r.int(1, 8) : r.int(0, 4000);
  return { size: width, page: r.int(0, 3), disp };
};
const source = (r: Random, width: Size): Arg => {
  if (r.one(4)) return place(r, width);
  return register(r, width);
};
const constant = (r: Random, width: Size): number => {
  const value = r.one(2) ? r.int(-128, 127) : r.dword() | 0;
  return width === 8 ? (value << 24) >> 24 : width === 16 ? (value << 16) >> 16 : value;
};

const BINARY = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'] as const;
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;

type Form = { readonly weight: number; readonly make: (r: Random) => readonly Instruction[] };

const binary: Form = {
  weight: 30,
  make: (r) => {
    const name = r.pick(BINARY);
    const width = size(r);
    if (width === 8 && r.one(3)) return [op(name, r.pick(PLAIN_BYTES), r.one(2) ? r.pick(PLAIN_BYTES) : r.int(-128, 127))];
    if (r.one(3)) return [op(name, r.one(3) ? place(r, width) : register(r, width), constant(r, width))];
    if (r.one(4)) return [op(r.one(3) && name !== 'cmp' ? `lock ${name}` : name, place(r, width), register(r, width))];
    return [op(name, register(r, width), source(r, width))];
  },
};
const carryChain: Form = {
  weight: 6,
  make: (r) => {
    const width = size(r);
    const [first, second] = r.pick([
      ['add', 'adc'],
      ['sub', 'sbb'],
      ['stc', 'adc'],
      ['clc', 'sbb'],
    ] as const);
    const start = first === 'stc' || first === 'clc' ? op(first) : op(first, register(r, width), source(r, width));
    return [
      start,
      op(second, register(r, width), r.one(2) ? constant(r, width) : source(r, width)),
      op(second, register(r, width), register(r, width)),
    ];
  },
};
const unary: Form = {
  weight: 10,
  make: (r) => {
    const width = size(r);
    return [op(r.pick(['inc', 'dec', 'not', 'neg']), r.one(4) ? place(r, width) : register(r, width))];
  },
};
const testing: Form = {
  weight: 4,
  make: (r) => {
    const width = size(r);
    return [op('test', r.one(4) ? place(r, width) : register(r, width), r.one(2) ? constant(r, width) : register(r, width))];
  },
};
const multiply: Form = {
  weight: 8,
  make: (r) => {
    const width = wide(r);
    switch (r.int(0, 3)) {
      case 0:
        return [op(r.pick(['mul', 'imul']), source(r, size(r)))];
      case 1:
        return [op('imul', register(r, width), source(r, width))];
      default:
        return [op('imul', register(r, width), source(r, width), constant(r, width))];
    }
  },
};
const divide: Form = {
  weight: 4,
  make: (r) => {
    const width = size(r);
    const divisor = r.pick(['rbx', 'rcx', 'r8', 'r13'] as const);
    const signed = r.one(2);
    const division = op(signed ? 'idiv' : 'div', named(divisor, width));
    // The least number by -1 ends QEMU 7.2 itself, at 16 and 32 bits.
    if (r.one(4) && !(signed && (width === 16 || width === 32))) return [division];
    const clear = width === 8 ? op('movzx', 'eax', 'al') : op('xor', 'edx', 'edx');
    return [clear, op('or', named(divisor, width), 1 << r.int(0, 6)), division];
  },
};
const shift: Form = {
  weight: 14,
  make: (r) => {
    const width = size(r);
    const name = r.pick(['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar']);
    const target = r.one(5) ? place(r, width) : register(r, width);
    if (r.one(3)) return [op('mov', 'cl', r.int(0, 127)), op(name, target, 'cl')];
    return [op(name, target, r.one(3) ? 1 : r.int(0, 70))];
  },
};
const doubleShift: Form = {
  weight: 4,
  make: (r) => {
    const width = wide(r);
    const count = r.int(0, width === 16 ? 15 : 70);
    const name = r.pick(['shld', 'shrd']);
    if (width !== 16 && r.one(3)) return [op('mov', 'cl', r.int(0, 127)), op(name, source(r, width), register(r, width), 'cl')];
    return [op(name, source(r, width), register(r, width), count)];
  },
};
const bits: Form = {
  weight: 8,
  make: (r) => {
    const width = wide(r);
    const name = r.pick(['bt', 'bts', 'btr', 'btc']);
    if (r.one(2)) return [op(name, source(r, width), r.int(0, 255))];
    return [op(name, register(r, width), register(r, width))];
  },
};
const scans: Form = {
  weight: 6,
  make: (r) => {
    if (r.one(2)) {
      const width = wide(r);
      return [op(r.pick(['tzcnt', 'lzcnt', 'popcnt']), register(r, width), source(r, width))];
    }
    // Without a bit set the result is undefined.
    const from = r.pick(NUMBERS);
    return [op('or', from, 1 << r.int(0, 6)), op(r.pick(['bsf', 'bsr']), register(r, 64), from)];
  },
};
const exchange: Form = {
  weight: 8,
  make: (r) => {
    const width = size(r);
    switch (r.int(0, 5)) {
      case 0:
        return [op('bswap', register(r, r.pick([32, 64])))];
      case 1:
        return [op(r.one(2) ? 'lock xadd' : 'xadd', place(r, width), register(r, width))];
      case 2:
        return [op('xadd', register(r, width), register(r, width))];
      case 3:
        return [op(r.one(2) ? 'lock cmpxchg' : 'cmpxchg', place(r, width), register(r, width))];
      case 4:
        return [op('xchg', source(r, width), register(r, width))];
      default:
        // QEMU 7.2 computes the flags that stay from stale ones unless something like POPFQ comes right before.
        return [op('pushfq'), op('popfq'), r.one(2) ? op('cmpxchg8b', place(r, 64)) : op('cmpxchg16b', place(r, 64, !r.one(6)))];
    }
  },
};
const moves: Form = {
  weight: 14,
  make: (r) => {
    const width = size(r);
    const cc = r.pick(CONDITIONS);
    switch (r.int(0, 9)) {
      case 0:
        return [op('mov', register(r, 64), r.word())];
      case 1:
        return [op('mov', place(r, width), register(r, width))];
      case 2:
        return [op('mov', register(r, width), source(r, width))];
      case 3:
        return [op(r.pick(['movzx', 'movsx']), register(r, wide(r)), source(r, 8))];
      case 4:
        return [op(r.pick(['movzx', 'movsx']), register(r, r.pick([32, 64])), source(r, 16))];
      case 5:
        return [op('movsxd', register(r, 64), source(r, 32))];
      case 6:
        return [op(`cmov${cc}`, register(r, wide(r)), register(r, 64))].map((i) => sameWidth(i));
      case 7:
        return [op(`set${cc}`, r.one(4) ? place(r, 8) : register(r, 8))];
      case 8:
        return [op(r.pick(['cbw', 'cwde', 'cdqe', 'cwd', 'cdq', 'cqo']))];
      default:
        return [
          op('lea', register(r, wide(r)), {
            size: 64,
            base: r.pick(NUMBERS),
            index: r.pick(NUMBERS),
            scale: r.pick([1, 2, 4, 8]),
            disp: r.one(2) ? r.int(-128, 127) : r.dword() | 0,
          }),
        ];
    }
  },
};
/** CMOV takes its width from the destination. */
const sameWidth = (i: Instruction): Instruction => {
  if (!('op' in i)) return i;
  const [destination] = i.args as [string];
  return { op: i.op, args: [destination, destination] };
};
const indexed: Form = {
  weight: 4,
  make: (r) => {
    const width = size(r);
    const index = r.pick(NUMBERS);
    const at = { size: width, page: r.int(0, 2), index, scale: r.pick([1, 2, 4, 8] as const), disp: r.int(0, 64) };
    return [op('and', named(index, 32), 0xff), r.one(2) ? op('mov', register(r, width), at) : op(r.pick(BINARY), at, register(r, width))];
  },
};
const flagsInOut: Form = {
  weight: 6,
  make: (r) => {
    switch (r.int(0, 5)) {
      case 0:
        return [op('pushfq'), op('pop', register(r, 64))];
      case 1:
        return [op('push', r.int(0, 0xfff) & 0x8d5), op('popfq')];
      case 2:
        return [op('lahf')];
      case 3:
        return [op('sahf')];
      default:
        return [op(r.pick(['clc', 'stc', 'cmc']))];
    }
  },
};
const stack: Form = {
  weight: 5,
  make: (r) => {
    switch (r.int(0, 3)) {
      case 0:
        return [op('push', r.one(2) ? r.int(-128, 127) : r.dword() | 0), op('pop', register(r, 64))];
      case 1:
        return [op('push', register(r, 64)), op('push', place(r, 64)), op('pop', place(r, 64)), op('pop', register(r, 64))];
      case 2:
        return [op('push', register(r, 16)), op('pop', register(r, 16))];
      default:
        return [op('push', 'rbp'), op('mov', 'rbp', 'rsp'), op('push', register(r, 64)), op('leave'), op('mov', 'ebp', 0)];
    }
  },
};
const strings: Form = {
  weight: 8,
  make: (r) => {
    const count = r.one(6) ? 0 : r.int(1, 24);
    const name = r.pick(['movs', 'stos', 'lods', 'cmps', 'scas']) + r.pick(['b', 'w', 'd', 'q']);
    const compares = /^(cmps|scas)/.test(name);
    const prefix = r.one(4) ? '' : compares ? r.pick(['repe ', 'repne ']) : 'rep ';
    return [op('mov', 'ecx', count), op(r.one(3) ? 'std' : 'cld'), op(prefix + name), op('cld')];
  },
};

/** Forms without a branch. */
const STRAIGHT: readonly Form[] = [
  binary,
  carryChain,
  unary,
  testing,
  multiply,
  divide,
  shift,
  doubleShift,
  bits,
  scans,
  exchange,
  moves,
  indexed,
  flagsInOut,
  stack,
  strings,
];

const straight = (r: Random): readonly Instruction[] => r.weighted(STRAIGHT).make(r);

/** Add a form or a branch over or around one. */
const extend = (r: Random, code: Instruction[]): void => {
  const here = code.length;
  switch (r.int(0, 13)) {
    case 0: {
      const skipped = straight(r);
      code.push(op(`j${r.pick(CONDITIONS)}${r.one(2) ? '8' : ''}`, { to: here + 1 + skipped.length }), ...skipped);
      break;
    }
    case 1: {
      const body = [op('add', 'r14', 'r15'), op('rol', 'r15', r.int(1, 63))];
      code.push(op('mov', 'ecx', r.int(1, 9)), ...body, op(r.pick(['loop', 'loop', 'loopne']), { to: here + 1 }));
      break;
    }
    case 2: {
      const body = binary.make(r);
      code.push(op('call', { to: here + 2 }), op('jmp', { to: here + 3 + body.length }), ...body, op('ret'));
      break;
    }
    case 3: {
      const skipped = straight(r);
      code.push(op('jrcxz', { to: here + 1 + skipped.length }), ...skipped);
      break;
    }
    default:
      code.push(...straight(r));
  }
};

/** A block of about `length` instructions. */
export const block = (r: Random, length: number): Instruction[] => {
  const code: Instruction[] = [];
  while (code.length < length) extend(r, code);
  return code;
};

const registersFor = (r: Random): Record<string, Value> => {
  const regs: Record<string, Value> = {
    rsi: { page: 4, as: 'va', plus: r.int(200, 3000) },
    rdi: { page: 5, as: 'va', plus: r.int(200, 3000) },
  };
  for (const name of NUMBERS) if (!r.one(4)) regs[name] = r.word();
  return regs;
};

const computeStep = (g: Generation, mode: 'kernel' | 'user'): Step => {
  const { r } = g;
  const code = block(r, r.int(1, 24));
  // Back from user mode by SYSCALL, R11 holds the flags, undefined ones included.
  const fit = (name: string, i: number, all: readonly string[]) => all.indexOf(name) === i && !(mode === 'user' && name === 'r11');
  return g.step({
    do: 'code',
    regs: registersFor(r),
    flags: r.one(3) ? r.int(0, 0xfff) & 0x8d5 : 0,
    code,
    ...(r.one(4) ? { show: ['rax', 'rcx', 'rdx', 'rbx', 'r8', r.pick(NUMBERS)].filter(fit) } : {}),
    ...(mode === 'user' ? { mode, back: r.pick(['syscall', 'int'] as const) } : {}),
  } as never);
};

export const compute: Family = { weight: 22, make: (g) => [computeStep(g, 'kernel')] };
export const computeInUserMode: Family = { weight: 4, make: (g) => [computeStep(g, 'user')] };
/** What blocks wrote to memory. */
export const look: Family = { weight: 4, make: (g) => [g.step({ do: 'hash', page: g.r.pick(PAGES.data) } as never)] };
