/** The bases of FS and GS, read and written by 64-bit code. */
import { zeroExtend } from '../../../word/size.ts';
import { requireCanonicalOffset } from '../canonical.ts';
import { undefinedOpcode } from '../fault.ts';
import { finish, read } from '../operand.ts';
import { completed, type Rules, type Running, type Semantics } from '../running.ts';
import { CR4 } from '../system/state.ts';

type Base = 'fsBase' | 'gsBase';

/** x86/fsgsbase-disabled. */
const requireEnabled = ({ system: { cr4 } }: Running): void => {
  if ((cr4 & CR4.FSGSBASE) === 0) throw undefinedOpcode('x86/fsgsbase-disabled');
};

/** RDFSBASE, RDGSBASE. */
export const readBase =
  (base: Base): Semantics =>
  (s, i) => {
    requireEnabled(s);
    return finish(s, i, i.dst, zeroExtend(s.segments[base], i.dst.size));
  };

/** WRFSBASE, WRGSBASE: 32 bits are zero-extended; 64 must be canonical, else #GP(0). */
export const writeBase =
  (base: Base): Semantics =>
  (s, i) => {
    requireEnabled(s);
    const value = read(s, i, i.dst);
    requireCanonicalOffset(value);
    return completed(s, i, { segments: { ...s.segments, [base]: value } });
  };

export const BASE_RULES: Rules = {
  rdfsbase: readBase('fsBase'),
  rdgsbase: readBase('gsBase'),
  wrfsbase: writeBase('fsBase'),
  wrgsbase: writeBase('gsBase'),
};
