/** Canonical addresses: bits 63 to 47 are equal. Others exist neither as data nor as code. */
import { isCanonical } from '../../memory/translate.ts';
import type { Word } from '../../word/word.ts';
import { generalProtection, stackFault } from './fault.ts';

/** An address of data, of the stack or not. */
export const requireCanonical = (at: Word, stack: boolean): void => {
  if (!isCanonical(at)) throw stack ? stackFault('x86/canonical-stack') : generalProtection(0, 'x86/canonical-address');
};

/** An offset to which the base of FS or GS will be added. */
export const requireCanonicalOffset = (offset: Word): void => {
  if (!isCanonical(offset)) throw generalProtection(0, 'x86/canonical-offset');
};

/** The target of a branch, near or far: judged before the branch changes anything. */
export const canonicalTarget = (to: Word): Word => {
  if (!isCanonical(to)) throw generalProtection(0, 'x86/canonical-branch');
  return to;
};
