/** What the public headers name and Debian's Xen 4.17 does not have, and numbers that nothing has. */
import { hypercall, ops, type Row, refused, whole } from './cell.ts';

const FLASK = {
  load: 1,
  getenforce: 2,
  setenforce: 3,
  context_to_sid: 4,
  sid_to_context: 5,
  access: 6,
  create: 7,
  relabel: 8,
  user: 9,
  policyvers: 10,
  getbool: 11,
  setbool: 12,
  commitbools: 13,
  mls: 14,
  disable: 15,
  getavc_threshold: 16,
  setavc_threshold: 17,
  avc_hashstats: 18,
  avc_cachestats: 19,
  member: 20,
  add_ocontext: 21,
  del_ocontext: 22,
  get_peer_sid: 23,
  relabel_domain: 24,
  devicetree_label: 25,
};
const TMEM = {
  new_pool: 1,
  destroy_pool: 2,
  new_page: 3,
  put_page: 4,
  get_page: 5,
  flush_page: 6,
  flush_object: 7,
  read: 8,
  write: 9,
  xchg: 10,
  auth: 101,
  restore_new: 102,
};

export const ABSENT: readonly Row[] = [
  ...[11, 43, 44, 45, 46, 47, 50, 51, 52, 53, 54, 55].flatMap((number) => whole(`hypercall_${number}`, number, refused('ENOSYS'))),
  ...hypercall('xsm_op', 27, ops(FLASK, refused('ENOSYS', [], 'built without security modules'))),
  ...hypercall('tmem_op', 38, ops(TMEM, refused('ENOSYS', [], 'taken out of Xen'))),
  ...hypercall(
    'argo_op',
    39,
    ops({ register_ring: 1, unregister_ring: 2, sendv: 3, notify: 4 }, refused('ENOSYS', [], 'built without Argo')),
  ),
];
