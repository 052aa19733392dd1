/** Domctls that tell and set a vCPU's extended state, as far as it never chose components of it. Chapter: spec/chapters/domctl.md. */

import { domctl, XSTATE } from '#spec/abi/domctl.ts';
import type { Errno } from '#spec/abi/errno.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { copyFromGuest, copyToGuest } from '../../../guest_copy.ts';
import { wordIn } from '../../../memory/guest.ts';
import { addInt, isZero, type Word } from '../../../word/word.ts';
import { fieldOf, withFields } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { done, fail } from '../../result.ts';
import { isCaller, type Rule, refuseAndTell, tell } from './rule.ts';

const { fields } = domctl.vcpuextstate;
const WORD = 8;

const bigOf = ({ hi, lo }: Word): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

export const getvcpuextstate: Rule = (machine, asked) => {
  const { bytes, caller, target } = asked;
  const vcpu = target.vcpus[fieldOf(bytes, fields.vcpu)];
  if (!vcpu) return refuseAndTell(asked, fail(machine, 'ESRCH', 'domctl/getvcpuextstate-vcpu'));
  if (isCaller(asked, vcpu)) return refuseAndTell(asked, fail(machine, 'EINVAL', 'domctl/getvcpuextstate-vcpu'));
  const [mask, size, buffer] = [wordIn(bytes, fields.xfeature_mask.at), wordIn(bytes, fields.size.at), wordIn(bytes, fields.buffer.at)];
  if ((isZero(mask) && isZero(size)) || isZero(buffer)) {
    const most = withFields(bytes, domctl.vcpuextstate, { xfeature_mask: XSTATE.MASK, size: XSTATE.MOST });
    return tell(machine, asked, most, 'domctl/getvcpuextstate-most');
  }
  const least = vcpu.choseState ? XSTATE.LEAST : XSTATE.HEAD;
  if (bigOf(size) < BigInt(least) || bigOf(mask) !== BigInt(XSTATE.MASK))
    return refuseAndTell(asked, fail(machine, 'EINVAL', 'domctl/getvcpuextstate-size'));
  if (vcpu.choseState) return notModelled(machine, caller, 'domctl');
  let m = machine;
  for (let at = 0; at < XSTATE.HEAD; at += WORD) {
    const stored = copyToGuest(m, caller, addInt(buffer, at), new Uint8Array(WORD));
    m = stored.machine;
    if (!stored.ok) return refuseAndTell(asked, fail(m, 'EFAULT', 'domctl/getvcpuextstate-told'));
  }
  return tell(m, asked, withFields(bytes, domctl.vcpuextstate, { size: XSTATE.HEAD }), 'domctl/getvcpuextstate-told');
};

/** Places behind the two words at the head: which components are there, how they are packed, and words that must be zero. */
const AREA = { components: 16 + 512, packing: 16 + 520, reserved: 16 + 528, reservedWords: 6 } as const;
const PACKED = 1n << 63n;
const [X87, SSE, AVX] = [1n, 2n, 4n];
/** What a guest of the reference machine may choose. */
const OFFERED = X87 | SSE | AVX;
const AVX_BYTES = 256;

const isChoice = (state: bigint): boolean =>
  (state & ~OFFERED) === 0n && (state & X87) !== 0n && ((state & AVX) === 0n || (state & SSE) !== 0n);

/** What is wrong with a state; null: it would be set; 'nothing': there is none to be set. */
const wrongState = (bytes: Uint8Array): Errno | 'nothing' | null => {
  const at = (offset: number): bigint => bigOf(wordIn(bytes, offset));
  const [chosen, used] = [at(0), at(WORD)];
  const hasArea = bytes.length >= XSTATE.LEAST;
  if (used === 0n) {
    if (chosen !== 0n) return 'EINVAL';
    if (bytes.length === XSTATE.HEAD) return 'nothing';
    return hasArea && (at(AREA.packing) & PACKED) !== 0n ? 'EOPNOTSUPP' : 'EINVAL';
  }
  if (!hasArea) return 'EINVAL';
  if ((at(AREA.components) & ~used) !== 0n || (chosen & ~used) !== 0n || !isChoice(chosen) || !isChoice(used)) return 'EINVAL';
  if (at(AREA.packing) !== 0n) return 'EOPNOTSUPP';
  for (let i = 0; i < AREA.reservedWords; i++) if (at(AREA.reserved + WORD * i) !== 0n) return 'EIO';
  return bytes.length === XSTATE.LEAST + ((used & AVX) === 0n ? 0 : AVX_BYTES) ? null : 'EINVAL';
};

const CLAUSE_OF: Readonly<Partial<Record<Errno, ClauseId>>> = {
  EOPNOTSUPP: 'domctl/setvcpuextstate-packing',
  EIO: 'domctl/setvcpuextstate-packing',
};

export const setvcpuextstate: Rule = (machine, asked) => {
  const { bytes, caller, target } = asked;
  const vcpu = target.vcpus[fieldOf(bytes, fields.vcpu)];
  if (!vcpu) return fail(machine, 'ESRCH', 'domctl/getvcpuextstate-vcpu');
  if (isCaller(asked, vcpu)) return fail(machine, 'EINVAL', 'domctl/getvcpuextstate-vcpu');
  const size = bigOf(wordIn(bytes, fields.size.at));
  if (size < BigInt(XSTATE.HEAD) || size > BigInt(XSTATE.MOST)) return fail(machine, 'EINVAL', 'domctl/setvcpuextstate-size');
  const read = copyFromGuest(machine, caller, wordIn(bytes, fields.buffer.at), Number(size));
  if (!read.ok) return fail(read.machine, 'EFAULT', 'domctl/setvcpuextstate-size');
  const wrong = wrongState(read.bytes);
  if (wrong === 'nothing') return done(read.machine, 'domctl/setvcpuextstate-nothing');
  return wrong === null
    ? notModelled(read.machine, caller, 'domctl')
    : fail(read.machine, wrong, CLAUSE_OF[wrong] ?? 'domctl/setvcpuextstate-components');
};
