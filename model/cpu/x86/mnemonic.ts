/** The names of instructions, as spec/isa/x86/opcodes.ts uses them. */
import type { CONDITIONS } from '#spec/isa/x86/opcodes.ts';

export type Condition = (typeof CONDITIONS)[number];

/** Instructions with one name for each condition. */
type Conditional = `j${Condition}` | `set${Condition}` | `cmov${Condition}`;

type Arithmetic = 'add' | 'or' | 'adc' | 'sbb' | 'and' | 'sub' | 'xor' | 'cmp' | 'test' | 'inc' | 'dec' | 'neg' | 'not';
type Shift = 'rol' | 'ror' | 'rcl' | 'rcr' | 'shl' | 'shr' | 'sar' | 'shld' | 'shrd';
type Multiply = 'mul' | 'imul' | 'div' | 'idiv';
type Bits = 'bt' | 'bts' | 'btr' | 'btc' | 'bsf' | 'bsr' | 'tzcnt' | 'lzcnt' | 'popcnt' | 'bswap';
type Move = 'mov' | 'movsxd' | 'movzx' | 'movsx' | 'movbe' | 'lea' | 'xchg' | 'xlat' | 'cbw' | 'cwd' | 'mov_from_seg' | 'mov_to_seg';
type Exchange = 'cmpxchg' | 'cmpxchg8b' | 'xadd';
type Stack = 'push' | 'pop' | 'pushf' | 'popf' | 'enter' | 'leave' | 'push_seg' | 'pop_seg';
type Branch = 'call' | 'jmp' | 'ret' | 'loop' | 'loope' | 'loopne' | 'jrcxz';
type Far = 'call_far' | 'jmp_far' | 'ret_far' | 'iret' | 'int3' | 'int' | 'syscall';
type Strings = 'movs' | 'cmps' | 'stos' | 'lods' | 'scas' | 'ins' | 'outs';
type Flags = 'cmc' | 'clc' | 'stc' | 'cld' | 'std' | 'sahf' | 'lahf';
type Undefined = 'ud0' | 'ud1' | 'ud2' | 'invalid';
type Information = 'cpuid' | 'rdtsc' | 'rdtscp';
type Hint = 'nop' | 'pause' | 'prefetch' | 'fwait' | 'lfence' | 'mfence' | 'sfence' | 'clflush';

/** Instructions that ring 3 may never execute. */
export type Privileged =
  | 'cli'
  | 'sti'
  | 'hlt'
  | 'in'
  | 'out'
  | 'mov_from_cr'
  | 'mov_to_cr'
  | 'mov_from_dr'
  | 'mov_to_dr'
  | 'wrmsr'
  | 'rdmsr'
  | 'rdpmc'
  | 'clts'
  | 'invd'
  | 'wbinvd'
  | 'sysret'
  | 'lgdt'
  | 'lidt'
  | 'lmsw'
  | 'invlpg'
  | 'swapgs'
  | 'xsetbv'
  | 'lldt'
  | 'ltr';

export type Mnemonic =
  | Conditional
  | Arithmetic
  | Shift
  | Multiply
  | Bits
  | Move
  | Exchange
  | Stack
  | Branch
  | Far
  | Strings
  | Flags
  | Undefined
  | Information
  | Hint
  | Privileged;
