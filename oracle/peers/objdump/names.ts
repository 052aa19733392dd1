/** objdump's names for the mnemonics of spec/isa/x86/opcodes.ts. */

/** Where they are not the mnemonic itself. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  call: ['call', 'callw'],
  call_far: ['call'],
  cbw: ['cbw', 'cwde', 'cdqe'],
  cmpxchg8b: ['cmpxchg8b', 'cmpxchg16b'],
  cwd: ['cwd', 'cdq', 'cqo'],
  enter: ['enter', 'enterw'],
  iret: ['iret', 'iretq', 'iretw'],
  jmp: ['jmp', 'jmpw'],
  jmp_far: ['jmp'],
  jrcxz: ['jrcxz', 'jecxz'],
  leave: ['leave', 'leavew'],
  mov: ['mov', 'movabs', 'movnti'],
  mov_from_cr: ['mov'],
  mov_from_dr: ['mov'],
  mov_from_seg: ['mov'],
  mov_to_cr: ['mov'],
  mov_to_dr: ['mov'],
  mov_to_seg: ['mov'],
  // Prefetches, and what newer processors have made of the wide NOPs: MPX, CET, CLDEMOTE. Without them they are NOPs.
  nop: ['nop', 'xchg', 'endbr64', 'endbr32', 'cldemote', 'rdsspd', 'rdsspq', 'prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2'],
  pop_seg: ['pop', 'popw'],
  popf: ['popf', 'popfw'],
  prefetch: ['prefetch', 'prefetchw', 'prefetchwt1'],
  push: ['push', 'pushw'],
  push_seg: ['push', 'pushw'],
  pushf: ['pushf', 'pushfw'],
  ret: ['ret', 'retw'],
  ret_far: ['retf', 'retfq', 'retfw'],
  sysret: ['sysretd', 'sysretq'],
  wbinvd: ['wbinvd', 'wbnoinvd'],
  xchg: ['xchg', 'nop'],
};

const NEWER_NOP = /^(bnd(mk|mov|ldx|stx|cl|cu|cn)|prefetchit[01])$/;

/** Words that objdump prints before the mnemonic. */
const PREFIX = /^(rex(\.[WRXB]+)?|data16|addr32|[cdefgs]s|lock|repn?z|rep|bnd|notrack|xacquire|xrelease)$/;

/** The mnemonic in a line of objdump; null when the line has none. */
export const nameIn = (text: string): string | null => {
  const word = text.split(/\s+/).find((each) => !PREFIX.test(each));
  return word === undefined || word === '' || word === '(bad)' ? null : word.replace(/,p[nt]$/, '');
};

/** Whether objdump's name is the mnemonic's. */
export const sameName = (mnemonic: string, name: string): boolean =>
  (NAMES[mnemonic] ?? [mnemonic]).includes(name) || (mnemonic === 'nop' && NEWER_NOP.test(name));
