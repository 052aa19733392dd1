/** The tables that say which page of its owner a machine frame is; Xen's, and read-only to guests. */
import { INVALID_M2P_ENTRY } from '../abi/memory.ts';
import type { View } from './view.ts';

const PER_FRAME = 512;
const PER_FRAME_COMPAT = 1024;

const isWithin = (first: number | undefined, frames: number, mfn: number): boolean =>
  first !== undefined && mfn >= first && mfn < first + frames;

export const isMachineToPhys = ({ config: { frames, layout } }: View, mfn: number): boolean =>
  isWithin(layout.m2p_first, Math.ceil(frames / PER_FRAME), mfn) ||
  isWithin(layout.compat_m2p_first, Math.ceil(frames / PER_FRAME_COMPAT), mfn);

/** Whether the table says that a frame is no page of anybody: it was given back, or never was one. */
export const isNoPage = ({ config: { layout }, page }: View, mfn: number): boolean =>
  page(layout.m2p_first + Math.floor(mfn / PER_FRAME)).getBigUint64((mfn % PER_FRAME) * 8, true) === BigInt(INVALID_M2P_ENTRY);
