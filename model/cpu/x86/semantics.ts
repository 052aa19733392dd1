/** The rules of the general-purpose instructions, by name, as a PV guest and everybody else sees them. */
import { CONDITIONS } from '#spec/isa/x86/opcodes.ts';
import { CF, DF, OF } from './flags.ts';
import type { Condition } from './mnemonic.ts';
import { adcRule, addRule, cmpRule, decRule, incRule, negRule, notRule, sbbRule, subRule } from './rules/arithmetic.ts';
import { readBase, writeBase } from './rules/base.ts';
import { bsfRule, bsrRule, bswapRule, btcRule, btRule, btrRule, btsRule, lzcntRule, popcntRule, tzcntRule } from './rules/bits.ts';
import {
  addWith,
  andnRule,
  bextrRule,
  blsiRule,
  blsmskRule,
  blsrRule,
  bzhiRule,
  mulxRule,
  pdepRule,
  pextRule,
  rorxRule,
  sarxRule,
  shlxRule,
  shrxRule,
} from './rules/bmi.ts';
import { callRule, jccRule, jmpRule, jrcxzRule, loopOnZeroRule, loopRule, retRule } from './rules/branch.ts';
import { crc32Rule } from './rules/crc32.ts';
import { aaaRule, aadRule, aamRule, aasRule, daaRule, dasRule } from './rules/decimal.ts';
import { divRule, idivRule } from './rules/divide.ts';
import { cmpxchg8bRule, cmpxchgRule, xaddRule, xchgRule } from './rules/exchange.ts';
import { callFarRule, iretRule, jmpFarRule, retFarRule } from './rules/far.ts';
import { cmcRule, lahfRule, sahfRule, setFlagRule } from './rules/flag.ts';
import { popfRule, pushfRule } from './rules/flags_image.ts';
import { andRule, orRule, testRule, xorRule } from './rules/logic.ts';
import { arplRule, boundRule, intoRule, loadPointerRule, salcRule } from './rules/miscellaneous.ts';
import { cbwRule, cmovRule, cwdRule, leaRule, movbeRule, movRule, movsxRule, movzxRule, setRule, xlatRule } from './rules/move.ts';
import { imulRule, mulRule } from './rules/multiply.ts';
import { insRule, outsRule } from './rules/port_string.ts';
import { rdpidRule, rdrandRule, rdseedRule } from './rules/random.ts';
import { rclRule, rcrRule, rolRule, rorRule } from './rules/rotate.ts';
import { movFromSegRule, movToSegRule, popSegRule, pushSegRule } from './rules/segment.ts';
import { sarRule, shldRule, shlRule, shrdRule, shrRule } from './rules/shift.ts';
import { enterRule, leaveRule, popaRule, popRule, pushaRule, pushRule } from './rules/stack.ts';
import { cmpsRule, lodsRule, movsRule, scasRule, stosRule } from './rules/string.ts';
import {
  clflushRule,
  cpuidRule,
  int3Rule,
  intRule,
  nopRule,
  privilegedRule,
  rdtscpRule,
  rdtscRule,
  syscallRule,
  undefinedRule,
} from './rules/system.ts';
import type { Rules, Semantics } from './running.ts';
import { DS, ES, FS, GS, SS } from './state.ts';

const PRIVILEGED = {
  cli: privilegedRule,
  sti: privilegedRule,
  hlt: privilegedRule,
  in: privilegedRule,
  out: privilegedRule,
  mov_from_cr: privilegedRule,
  mov_to_cr: privilegedRule,
  mov_from_dr: privilegedRule,
  mov_to_dr: privilegedRule,
  wrmsr: privilegedRule,
  rdmsr: privilegedRule,
  rdpmc: privilegedRule,
  clts: privilegedRule,
  invd: privilegedRule,
  wbinvd: privilegedRule,
  sysret: privilegedRule,
  lgdt: privilegedRule,
  lidt: privilegedRule,
  lmsw: privilegedRule,
  invlpg: privilegedRule,
  swapgs: privilegedRule,
  xsetbv: privilegedRule,
  lldt: privilegedRule,
  ltr: privilegedRule,
};

/** One instruction for each condition: `j` makes jo, jno, jb, … */
const forConditions = <const P extends 'j' | 'set' | 'cmov'>(prefix: P, rule: (condition: Condition) => Semantics) =>
  Object.fromEntries(CONDITIONS.map((condition) => [`${prefix}${condition}`, rule(condition)])) as Record<`${P}${Condition}`, Semantics>;

export const GENERAL_RULES: Rules = {
  ...PRIVILEGED,
  ...forConditions('j', jccRule),
  ...forConditions('set', setRule),
  ...forConditions('cmov', cmovRule),

  add: addRule,
  or: orRule,
  adc: adcRule,
  sbb: sbbRule,
  and: andRule,
  sub: subRule,
  xor: xorRule,
  cmp: cmpRule,
  test: testRule,
  inc: incRule,
  dec: decRule,
  neg: negRule,
  not: notRule,

  rol: rolRule,
  ror: rorRule,
  rcl: rclRule,
  rcr: rcrRule,
  shl: shlRule,
  shr: shrRule,
  sar: sarRule,
  shld: shldRule,
  shrd: shrdRule,

  mul: mulRule,
  imul: imulRule,
  div: divRule,
  idiv: idivRule,

  adcx: addWith(CF),
  adox: addWith(OF),
  crc32: crc32Rule,

  andn: andnRule,
  bextr: bextrRule,
  blsi: blsiRule,
  blsmsk: blsmskRule,
  blsr: blsrRule,
  bzhi: bzhiRule,
  mulx: mulxRule,
  pdep: pdepRule,
  pext: pextRule,
  rorx: rorxRule,
  sarx: sarxRule,
  shlx: shlxRule,
  shrx: shrxRule,

  daa: daaRule,
  das: dasRule,
  aaa: aaaRule,
  aas: aasRule,
  aam: aamRule,
  aad: aadRule,

  bt: btRule,
  bts: btsRule,
  btr: btrRule,
  btc: btcRule,
  bsf: bsfRule,
  bsr: bsrRule,
  tzcnt: tzcntRule,
  lzcnt: lzcntRule,
  popcnt: popcntRule,
  bswap: bswapRule,

  mov: movRule,
  movnti: movRule,
  movsxd: movsxRule,
  movzx: movzxRule,
  movsx: movsxRule,
  movbe: movbeRule,
  lea: leaRule,
  xchg: xchgRule,
  xlat: xlatRule,
  cbw: cbwRule,
  cwd: cwdRule,
  mov_from_seg: movFromSegRule,
  mov_to_seg: movToSegRule,

  les: loadPointerRule(ES),
  lds: loadPointerRule(DS),
  lss: loadPointerRule(SS),
  lfs: loadPointerRule(FS),
  lgs: loadPointerRule(GS),
  rdfsbase: readBase('fsBase'),
  rdgsbase: readBase('gsBase'),
  wrfsbase: writeBase('fsBase'),
  wrgsbase: writeBase('gsBase'),

  cmpxchg: cmpxchgRule,
  cmpxchg8b: cmpxchg8bRule,
  xadd: xaddRule,

  push: pushRule,
  pop: popRule,
  pusha: pushaRule,
  popa: popaRule,
  pushf: pushfRule,
  popf: popfRule,
  enter: enterRule,
  leave: leaveRule,
  push_seg: pushSegRule,
  pop_seg: popSegRule,

  call: callRule,
  jmp: jmpRule,
  ret: retRule,
  loop: loopRule,
  loope: loopOnZeroRule(true),
  loopne: loopOnZeroRule(false),
  jrcxz: jrcxzRule,

  call_far: callFarRule,
  jmp_far: jmpFarRule,
  ret_far: retFarRule,
  iret: iretRule,
  int3: int3Rule,
  int: intRule,
  syscall: syscallRule,

  movs: movsRule,
  cmps: cmpsRule,
  stos: stosRule,
  lods: lodsRule,
  scas: scasRule,
  ins: insRule,
  outs: outsRule,

  cmc: cmcRule,
  clc: setFlagRule(CF, 0),
  stc: setFlagRule(CF, CF),
  cld: setFlagRule(DF, 0),
  std: setFlagRule(DF, DF),
  sahf: sahfRule,
  lahf: lahfRule,

  bound: boundRule,
  into: intoRule,
  salc: salcRule,
  arpl: arplRule,

  ud0: undefinedRule,
  ud1: undefinedRule,
  ud2: undefinedRule,
  invalid: undefinedRule,

  cpuid: cpuidRule,
  rdtsc: rdtscRule,
  rdtscp: rdtscpRule,
  rdpid: rdpidRule,
  rdrand: rdrandRule,
  rdseed: rdseedRule,

  nop: nopRule,
  pause: nopRule,
  prefetch: nopRule,
  fwait: nopRule,
  lfence: nopRule,
  mfence: nopRule,
  sfence: nopRule,
  clflush: clflushRule,
  clflushopt: clflushRule,
  clwb: clflushRule,
};
