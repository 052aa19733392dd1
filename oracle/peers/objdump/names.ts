/** objdump's names for the mnemonics of spec/isa/x86/opcodes.ts. */

/** Where they are not the mnemonic itself. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  call: ['call', 'callw', 'calld'],
  call_far: ['call'],
  cbw: ['cbw', 'cwde', 'cdqe'],
  cmpxchg8b: ['cmpxchg8b', 'cmpxchg16b'],
  cwd: ['cwd', 'cdq', 'cqo'],
  enter: ['enter', 'enterw', 'enterd'],
  iret: ['iret', 'iretq', 'iretw', 'iretd'],
  int1: ['int1', 'icebp'],
  jmp: ['jmp', 'jmpw', 'jmpd'],
  jmp_far: ['jmp'],
  jrcxz: ['jrcxz', 'jecxz', 'jcxz'],
  leave: ['leave', 'leavew', 'leaved'],
  mov: ['mov', 'movabs'],
  mov_from_cr: ['mov'],
  mov_from_dr: ['mov'],
  mov_from_seg: ['mov'],
  mov_to_cr: ['mov'],
  mov_to_dr: ['mov'],
  mov_to_seg: ['mov'],
  // Prefetches, and what newer processors have made of the wide NOPs: MPX, CET, CLDEMOTE. Without them they are NOPs.
  nop: ['nop', 'xchg', 'endbr64', 'endbr32', 'cldemote', 'rdsspd', 'rdsspq', 'prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2'],
  movd: ['movd', 'movq'],
  pextrd: ['pextrd', 'pextrq'],
  pinsrd: ['pinsrd', 'pinsrq'],
  pclmulqdq: ['pclmulqdq', 'pclmullqlqdq', 'pclmulhqlqdq', 'pclmullqhqdq', 'pclmulhqhqdq'],
  pop: ['pop', 'popw', 'popd'],
  pop_seg: ['pop', 'popw', 'popd'],
  popa: ['popa', 'popaw', 'popad'],
  popf: ['popf', 'popfw', 'popfd'],
  prefetch: ['prefetch', 'prefetchw', 'prefetchwt1'],
  push: ['push', 'pushw', 'pushd'],
  push_seg: ['push', 'pushw', 'pushd'],
  pusha: ['pusha', 'pushaw', 'pushad'],
  pushf: ['pushf', 'pushfw', 'pushfd'],
  ret: ['ret', 'retw', 'retd'],
  ret_far: ['retf', 'retfq', 'retfw', 'retfd'],
  sysexit: ['sysexit', 'sysexitd', 'sysexitq'],
  sysret: ['sysretd', 'sysretq', 'sysret'],
  wbinvd: ['wbinvd', 'wbnoinvd'],
  xchg: ['xchg', 'nop'],
};

const NEWER_NOP = /^(bnd(mk|mov|ldx|stx|cl|cu|cn)|prefetchit[01])$/;

/** Mnemonics to which objdump adds a letter or two for the operand size. */
const SIZED = /^(f(n?save|n?stenv|ldenv|rstor)|[sl][gi]dt|fx(save|rstor)|xsave(opt|c|s)?|xrstors?|pcmpestr[im])$/;
const SIZES = ['', 'w', 'd', 'q', '64'] as const;

/** Conditions that objdump writes into the name of a comparison. */
const COMPARISON = /^cmp(eq|lt|le|unord|neq|nlt|nle|ord)([ps][sd])$/;

/** Words that objdump prints before the mnemonic. */
const PREFIX = /^(rex(\.[WRXB]+)?|data(16|32)|addr(16|32)|[cdefgs]s|lock|repn?z|rep|bnd|notrack|xacquire|xrelease)$/;

/** The mnemonic in a line of objdump; null when the line has none. */
export const nameIn = (text: string): string | null => {
  const word = text.split(/\s+/).find((each) => !PREFIX.test(each));
  return word === undefined || word === '' || word === '(bad)' ? null : word.replace(/,p[nt]$|\(.*$/g, '');
};

/** Whether objdump's name is the mnemonic's. */
export const sameName = (mnemonic: string, name: string): boolean =>
  (NAMES[mnemonic] ?? [mnemonic]).includes(name) ||
  (SIZED.test(mnemonic) && SIZES.some((size) => name === mnemonic + size)) ||
  name.replace(COMPARISON, 'cmp$2') === mnemonic ||
  (mnemonic === 'nop' && NEWER_NOP.test(name));
