/** What stands before the opcode. */
import type { Draft } from './draft.ts';

const IGNORED_SEGMENTS: readonly number[] = [0x26, 0x2e, 0x36, 0x3e];
const [LOCK, REPNE, REP, OPERAND, ADDRESS, FS, GS] = [0xf0, 0xf2, 0xf3, 0x66, 0x67, 0x64, 0x65];

/** Rows that F2 and F3 do not turn into something else: all without a mandatory prefix, outside the maps where they select. */
const repIgnored = ({ row }: Draft): boolean =>
  row.map === '1' && row.prefix === undefined && row.rep === undefined && !(row.opcode === 0x90 || row.mnemonic === 'fwait');

/** Rows that 66 does not turn into something else. */
const sized = ({ row }: Draft): boolean => row.prefix !== 'np' && row.prefix !== '66';

/** AMD's processors reach CR8 by LOCK MOV CR0, others raise #UD: F-041. */
const lockable = ({ row }: Draft): boolean => !row.operands.includes('Cq');

/** Choose prefixes and REX; registers may still set REX bits afterwards. */
export const choosePrefixes = (d: Draft): void => {
  const { s, row, prefixes } = d;
  if (row.vex) {
    chooseVex(d);
    return;
  }
  if (sized(d) && s.one(4)) {
    d.size66 = true;
    prefixes.push(OPERAND);
  }
  if (s.one(d.mode === '64' ? 12 : 5)) {
    d.size67 = true;
    prefixes.push(ADDRESS);
  }
  if (s.one(9)) chooseSegment(d);
  if (row.rep !== undefined && !s.one(3)) prefixes.push(s.pick([REP, REP, REPNE]));
  else if (row.prefix === undefined && row.rep === undefined && repIgnored(d) && s.one(40)) prefixes.push(s.pick([REP, REPNE]));
  if (lockable(d) && s.one(row.lock ? 6 : 60)) prefixes.push(LOCK);
  if (s.one(30) && (d.mode === '64' || prefixes.length > 0)) prefixes.push(s.pick(prefixes.length === 0 ? IGNORED_SEGMENTS : prefixes));
  shuffle(d);
  // The mandatory prefix last: the last of F2 and F3 counts.
  if (row.prefix === 'f3') prefixes.push(REP);
  if (row.prefix === 'f2') prefixes.push(REPNE);
  if (row.prefix === '66') {
    prefixes.push(OPERAND);
    d.size66 = true;
  }
  if (d.mode !== '64') return;
  if (s.one(60)) prefixes.push(0x40 | s.below(16), s.pick(IGNORED_SEGMENTS));
  if (s.one(400)) prefixes.unshift(...Array.from({ length: s.int(8, 13) }, () => s.pick(IGNORED_SEGMENTS)));
  if (s.one(2)) d.rex = s.below(16) & (s.one(2) ? 15 : 7);
  if (row.rexB === false && d.rex !== null) d.rex &= ~1;
};

/** Behind VEX there is no mandatory prefix but its own; 66, F2, F3, LOCK and REX before it are #UD. */
const chooseVex = (d: Draft): void => {
  const { s, prefixes } = d;
  if (s.one(12)) {
    d.size67 = true;
    prefixes.push(ADDRESS);
  }
  if (s.one(9)) chooseSegment(d);
  if (s.one(60)) prefixes.push(s.pick([OPERAND, REP, REPNE, LOCK]));
  if (d.mode === '64' && s.one(80)) prefixes.push(0x40 | s.below(16));
  d.rex = d.mode === '64' ? s.below(16) : s.one(4) ? 8 : 0;
  d.vvvv = d.mode === '64' ? s.below(16) : s.below(8);
};

const PREFIX_OF = { es: 0x26, cs: 0x2e, ss: 0x36, ds: 0x3e, fs: FS, gs: GS } as const;

const chooseSegment = (d: Draft): void => {
  const { s } = d;
  if (d.mode !== '64') {
    d.segment = s.pick(['es', 'cs', 'ss', 'ds', 'fs', 'gs']);
    d.prefixes.push(PREFIX_OF[d.segment]);
    return;
  }
  if (s.one(3)) {
    d.prefixes.push(s.pick(IGNORED_SEGMENTS));
    return;
  }
  d.segment = s.pick(['fs', 'gs']);
  d.prefixes.push(d.segment === 'fs' ? FS : GS);
  const base = s.pick([0n, 0x1000n, 0x123n, 0x600000000000n, 0xffff800000000000n, 0xfffffffffffff000n, BigInt(s.bits())]);
  if (d.segment === 'fs') d.fsBase = base;
  else d.gsBase = base;
};

/** Their order means nothing, but for the segments and F2/F3 given twice, which are not. */
const shuffle = ({ s, prefixes }: Draft): void => {
  for (let i = prefixes.length - 1; i > 0; i--) {
    const j = s.below(i + 1);
    [prefixes[i], prefixes[j]] = [prefixes[j], prefixes[i]];
  }
};
