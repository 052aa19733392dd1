/** livepatch_op: questions about patches of Xen, of which none is ever loaded. Chapter: spec/chapters/sysctl.md. */
import { ERRNO } from '#spec/abi/errno.ts';
import { sysctl } from '#spec/abi/sysctl.ts';
import { accessOk } from '../../guest_access.ts';
import { type Asker, load, stops, u32, type Work } from './asker.ts';

const UPLOAD = sysctl.livepatch_upload.fields;
const ACTION = sysctl.livepatch_action.fields;
const LIST = sysctl.livepatch_list.fields;
const LONGEST_NAME = 128;
const LARGEST_PATCH = 0x200000n;
const MOST_AT_ONCE = 1024;
/** Flag: some checks are left out. */
const FORCE = 1;
const ELF_HEAD = 64;
const ELF_MAGIC = 0x464c457f;
/** The list counts what was ever done to it, from one. */
const UNTOUCHED = 1;

/** What is wrong with the name: 0, EINVAL or EFAULT. */
const wrongName = (asker: Asker): number => {
  const { op } = asker;
  const size = op.getUint16(UPLOAD.name_size.at, true);
  const isReserved = [UPLOAD.name_pad0, UPLOAD.name_pad1, UPLOAD.name_pad2].some(({ at }) => op.getUint16(at, true) !== 0);
  if (size === 0 || size > LONGEST_NAME || isReserved) return ERRNO.EINVAL;
  const name = new Uint8Array(size);
  if (!load(asker, UPLOAD.name.at, 0, name)) return ERRNO.EFAULT;
  return name[size - 1] === 0 ? 0 : ERRNO.EINVAL;
};

const isGuestAddress = ({ op }: Asker, at: number): boolean => accessOk(op.getInt32(at + 4, true));

const upload: Work = (asker) => {
  const size = asker.op.getBigUint64(UPLOAD.size.at, true);
  if (wrongName(asker) !== 0 || size === 0n || size > LARGEST_PATCH) return -ERRNO.EINVAL;
  const patch = new Uint8Array(Number(size));
  if (!isGuestAddress(asker, UPLOAD.payload.at) || !load(asker, UPLOAD.payload.at, 0, patch)) return -ERRNO.EFAULT;
  if (patch.length < ELF_HEAD || u32(new DataView(patch.buffer), 0) !== ELF_MAGIC) return -ERRNO.EINVAL;
  return stops(asker);
};

const get: Work = (asker) => -(wrongName(asker) || ERRNO.ENOENT);

const list: Work = (asker) => {
  const { op } = asker;
  const most = u32(op, LIST.nr.at);
  if (most > MOST_AT_ONCE) return -ERRNO.E2BIG;
  const arrays = [LIST.status, LIST.len, LIST.metadata_len];
  if (u32(op, LIST.list_pad.at) !== 0) return -ERRNO.EINVAL;
  if (most !== 0 && !arrays.every(({ at }) => isGuestAddress(asker, at))) return -ERRNO.EINVAL;
  for (const { at } of [LIST.name_total_size, LIST.metadata_total_size, LIST.nr]) op.setUint32(at, 0, true);
  op.setUint32(LIST.version.at, UNTOUCHED, true);
  return 0;
};

const action: Work = (asker) => (u32(asker.op, ACTION.action_pad.at) !== 0 ? -ERRNO.EINVAL : get(asker));

const QUESTIONS: readonly Work[] = [upload, get, list, action];

export const livepatchOp: Work = (asker) => {
  const { op } = asker;
  const second = u32(op, UPLOAD.pad.at);
  const areFlags = asker.machine.ways['livepatch_op-second_word'] === 'flags';
  if (second !== 0 && !(areFlags && (second & FORCE) !== 0)) return -ERRNO.EINVAL;
  return QUESTIONS[u32(op, UPLOAD.question.at)]?.(asker) ?? -ERRNO.EOPNOTSUPP;
};
