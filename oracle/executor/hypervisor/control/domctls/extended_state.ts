/** A vCPU's extended processor state, as far as it has none: XSETBV was not used. What would tell or set some stops. */
import { domctl, XSTATE } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { copyFromGuest, copyToGuest } from '../../guest_access.ts';
import { isValidState, offeredState } from '../../trap/xsetbv.ts';
import { TWO32 } from '../../u64.ts';
import { put64, type Request, vcpuOf, type Work } from './request.ts';

const F = domctl.vcpuextstate.fields;
const { HEAD, LEAST, MASK, MOST } = XSTATE;
/** Of the area behind the head: which components it has, how it is packed, and what must be zero. */
const [COMPONENTS, PACKING, RESERVED, RESERVED_WORDS] = [512, 520, 528, 6];
const AVX = 4;
const AVX_BYTES = 256;

const u64 = ({ op }: Request, { at }: { readonly at: number }): bigint => op.getBigUint64(at, true);
const stops = ({ machine, caller }: Request): number => {
  machine.notModelled(caller, 'domctl');
  return -ERRNO.ENOSYS;
};
const vcpuNamed = (request: Request) => vcpuOf(request, request.op.getUint32(F.vcpu.at, true));

/** The structure goes back whatever the answer. */
export const getExtendedState: Work = (request) => {
  const { machine, caller, op } = request;
  const vcpu = vcpuNamed(request);
  if (!vcpu) return -ERRNO.ESRCH;
  if (vcpu === caller) return -ERRNO.EINVAL;
  const [mask, size] = [u64(request, F.xfeature_mask), u64(request, F.size)];
  if ((mask === 0n && size === 0n) || u64(request, F.buffer) === 0n) {
    put64(op, F.xfeature_mask.at, MASK);
    put64(op, F.size.at, MOST);
    return 0;
  }
  const needed = vcpu.statesUsed === 0 ? HEAD : LEAST;
  if (size < BigInt(needed) || mask !== BigInt(MASK)) return -ERRNO.EINVAL;
  const lo = op.getUint32(F.buffer.at, true);
  const hi = op.getInt32(F.buffer.at + 4, true);
  const word = new Uint8Array(8);
  for (let at = 0; at < HEAD; at += word.length) {
    const low = lo + at;
    if (vcpu.statesUsed !== 0) return stops(request);
    if (!copyToGuest(machine, caller, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, word.length, word)) return -ERRNO.EFAULT;
  }
  put64(op, F.size.at, HEAD);
  return 0;
};

export const setExtendedState: Work = (request) => {
  const { machine, caller, op } = request;
  const vcpu = vcpuNamed(request);
  if (!vcpu) return -ERRNO.ESRCH;
  const size = u64(request, F.size);
  if (vcpu === caller || size < BigInt(HEAD) || size > BigInt(MOST)) return -ERRNO.EINVAL;
  const given = new Uint8Array(Number(size));
  if (!copyFromGuest(machine, caller, op.getInt32(F.buffer.at, true), op.getInt32(F.buffer.at + 4, true), given.length, given))
    return -ERRNO.EFAULT;
  const view = new DataView(given.buffer);
  const [chosen, used] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  if (used === 0n) return chosen === 0n ? withoutState(view) : -ERRNO.EINVAL;
  if (given.length < LEAST) return -ERRNO.EINVAL;
  const refusal = wrongState(view, chosen, used, BigInt(offeredState(machine)));
  if (refusal !== 0) return -refusal;
  return given.length === HEAD + areaBytes(Number(used)) ? stops(request) : -ERRNO.EINVAL;
};

/** No component was ever in use: there is nothing to be told but that. */
const withoutState = (given: DataView): number => {
  if (given.byteLength === HEAD) return 0;
  const isPacked = given.byteLength >= LEAST && given.getInt32(HEAD + PACKING + 4, true) < 0;
  return isPacked ? -ERRNO.EOPNOTSUPP : -ERRNO.EINVAL;
};

const wrongState = (given: DataView, chosen: bigint, used: bigint, offered: bigint): number => {
  const components = given.getBigUint64(HEAD + COMPONENTS, true);
  if (((components | chosen) & ~used) !== 0n || (used & ~offered) !== 0n) return ERRNO.EINVAL;
  if (!isValidState(Number(chosen)) || !isValidState(Number(used))) return ERRNO.EINVAL;
  if (given.getBigUint64(HEAD + PACKING, true) !== 0n) return ERRNO.EOPNOTSUPP;
  for (let i = 0; i < RESERVED_WORDS; i++) if (given.getBigUint64(HEAD + RESERVED + 8 * i, true) !== 0n) return ERRNO.EIO;
  return 0;
};

const areaBytes = (used: number): number => LEAST - HEAD + ((used & AVX) === 0 ? 0 : AVX_BYTES);
