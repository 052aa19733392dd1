/** XEN_SYSCTL_livepatch_op: patches of Xen, of which none is loaded. */
import type { Errno } from '#spec/abi/errno.ts';
import { LIVEPATCH, XEN_SYSCTL_LIVEPATCH as OP, sysctl } from '#spec/abi/sysctl.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { arrayOk, copyFromGuest, copyToGuestUnchecked } from '../../../guest_copy.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { fieldOf, fieldsOf, withFields } from '../../guest_struct.ts';
import { fail, type HypercallResult } from '../../result.ts';
import { type Asked, type Rule, tell } from './rule.ts';

/** The head of an ELF file: its length, and how it begins. */
const ELF = { head: 64, magic: [0x7f, 0x45, 0x4c, 0x46] } as const;

/** sysctl/livepatch_op-told: a refusal writes the structure back too. */
const refuse = (machine: Machine, asked: Asked, errno: Errno, clause: ClauseId): HypercallResult => {
  const stored = copyToGuestUnchecked(machine, asked.caller, asked.at, asked.bytes);
  return stored.ok ? fail(stored.machine, errno, clause) : fail(stored.machine, 'EFAULT', 'sysctl/livepatch_op-told');
};

type Named = { readonly machine: Machine; readonly wrong: Errno | null };

/** sysctl/livepatch_op-name */
const readName = (machine: Machine, { caller, bytes }: Asked): Named => {
  const { name_size: size, name_pad0, name_pad1, name_pad2 } = fieldsOf(bytes, sysctl.livepatch_get);
  if (size === 0 || size > LIVEPATCH.name || name_pad0 || name_pad1 || name_pad2) return { machine, wrong: 'EINVAL' };
  const read = copyFromGuest(machine, caller, wordIn(bytes, sysctl.livepatch_get.fields.name.at), size);
  if (!read.ok) return { machine: read.machine, wrong: 'EFAULT' };
  return { machine: read.machine, wrong: read.bytes[size - 1] === 0 ? null : 'EINVAL' };
};

const upload: Rule = (machine, asked) => {
  const clause = 'sysctl/livepatch_op-upload';
  const { fields } = sysctl.livepatch_upload;
  const named = readName(machine, asked);
  const size = wordIn(asked.bytes, fields.size.at);
  const count = size.hi === 0 ? size.lo >>> 0 : Number.POSITIVE_INFINITY;
  if (named.wrong || count === 0 || count > LIVEPATCH.payload) return refuse(named.machine, asked, 'EINVAL', clause);
  const from = wordIn(asked.bytes, fields.payload.at);
  if (!arrayOk(from, count, 1)) return refuse(named.machine, asked, 'EFAULT', clause);
  const read = copyFromGuest(named.machine, asked.caller, from, count);
  if (!read.ok) return refuse(read.machine, asked, 'EFAULT', clause);
  const isElf = count >= ELF.head && ELF.magic.every((byte, i) => read.bytes[i] === byte);
  return isElf ? null : refuse(read.machine, asked, 'EINVAL', clause);
};

const ofOneThatIsMissing: Rule = (machine, asked) => {
  const { machine: m, wrong } = readName(machine, asked);
  return wrong ? refuse(m, asked, wrong, 'sysctl/livepatch_op-name') : refuse(m, asked, 'ENOENT', 'sysctl/livepatch_op-none');
};

const act: Rule = (machine, asked) =>
  fieldOf(asked.bytes, sysctl.livepatch_action.fields.action_pad) === 0
    ? ofOneThatIsMissing(machine, asked)
    : refuse(machine, asked, 'EINVAL', 'sysctl/livepatch_op-none');

const list: Rule = (machine, asked) => {
  const clause = 'sysctl/livepatch_op-list';
  const { fields } = sysctl.livepatch_list;
  const { nr, list_pad } = fieldsOf(asked.bytes, sysctl.livepatch_list);
  if (nr > LIVEPATCH.listed) return refuse(machine, asked, 'E2BIG', clause);
  const arrays = [[fields.status, 8] as const, [fields.len, 4] as const, [fields.metadata_len, 4] as const];
  const possible = nr === 0 || arrays.every(([field, each]) => arrayOk(wordIn(asked.bytes, field.at), nr, each));
  if (list_pad !== 0 || !possible) return refuse(machine, asked, 'EINVAL', clause);
  const none = { version: 1, nr: 0, name_total_size: 0, metadata_total_size: 0 };
  return tell(machine, asked, withFields(asked.bytes, sysctl.livepatch_list, none), clause);
};

const PARTS: Readonly<Record<number, Rule>> = { [OP.UPLOAD]: upload, [OP.GET]: ofOneThatIsMissing, [OP.LIST]: list, [OP.ACTION]: act };

/** Of the second word where it is flags: others pass beside it. */
const FORCE = 1;

export const livepatchOp: Rule = (machine, asked) => {
  const { question, pad } = fieldsOf(asked.bytes, sysctl.livepatch_get);
  const lets = waysOf(machine.config.release)['livepatch_op-second_word'] === 'flags' && (pad & FORCE) !== 0;
  if (pad !== 0 && !lets) return refuse(machine, asked, 'EINVAL', 'sysctl/livepatch_op-unknown');
  const part = PARTS[question];
  return part ? part(machine, asked) : fail(machine, 'EOPNOTSUPP', 'sysctl/livepatch_op-unknown');
};
