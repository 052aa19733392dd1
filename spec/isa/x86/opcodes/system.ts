/** System instructions: SDM volume 1, 5.20. Those that ring 3 may never carry out are `privileged`. */
import { LONG, row } from './make.ts';

const tables = [
  row('0f', 0x00, 'sldt Mw', { ext: 0, mod: 'mem', protected: true }),
  row('0f', 0x00, 'sldt Ev', { ext: 0, mod: 'reg', protected: true }),
  row('0f', 0x00, 'str Mw', { ext: 1, mod: 'mem', protected: true }),
  row('0f', 0x00, 'str Ev', { ext: 1, mod: 'reg', protected: true }),
  row('0f', 0x00, 'lldt Ew', { ext: 2, privileged: true, protected: true }),
  row('0f', 0x00, 'ltr Ew', { ext: 3, privileged: true, protected: true }),
  row('0f', 0x00, 'verr Ew', { ext: 4, protected: true }),
  row('0f', 0x00, 'verw Ew', { ext: 5, protected: true }),
  row('0f', 0x01, 'sgdt M', { ext: 0, mod: 'mem' }),
  row('0f', 0x01, 'sidt M', { ext: 1, mod: 'mem' }),
  row('0f', 0x01, 'lgdt M', { ext: 2, mod: 'mem', privileged: true }),
  row('0f', 0x01, 'lidt M', { ext: 3, mod: 'mem', privileged: true }),
  row('0f', 0x01, 'smsw Mw', { ext: 4, mod: 'mem' }),
  row('0f', 0x01, 'smsw Ev', { ext: 4, mod: 'reg' }),
  row('0f', 0x01, 'lmsw Ew', { ext: 6, privileged: true }),
  row('0f', 0x01, 'invlpg M', { ext: 7, mod: 'mem', privileged: true }),
  row('0f', 0x02, 'lar Gv,Ew', { protected: true }),
  row('0f', 0x03, 'lsl Gv,Ew', { protected: true }),
  row('1', 0x63, 'arpl Ew,Gw', { protected: true, modes: 'legacy' }),
];

const registers = [
  row('0f', 0x20, 'mov_from_cr Rq,Cq', { privileged: true }),
  row('0f', 0x22, 'mov_to_cr Cq,Rq', { privileged: true }),
  row('0f', 0x21, 'mov_from_dr Rq,Dq', { privileged: true }),
  row('0f', 0x23, 'mov_to_dr Dq,Rq', { privileged: true }),
  row('0f', 0x30, 'wrmsr', { privileged: true }),
  row('0f', 0x32, 'rdmsr', { privileged: true }),
  row('0f', 0x33, 'rdpmc', { privileged: true }),
  row('0f', 0x06, 'clts', { privileged: true }),
  row('0f', 0x01, 'xsetbv', { modrm: 0xd1, prefix: 'np', privileged: true, feature: 'xsave' }),
  row('0f', 0x01, 'swapgs', { modrm: 0xf8, privileged: true, ...LONG }),
];

export const SYSTEM = [
  ...tables,
  ...registers,
  row('1', 0xf4, 'hlt', { privileged: true }),
  row('0f', 0x08, 'invd', { privileged: true }),
  row('0f', 0x09, 'wbinvd', { privileged: true }),
  row('0f', 0x07, 'sysret', { privileged: true }),
  // AMD's processors have these two outside long mode only: not in compatibility mode either. Of SYSEXIT ring 3 sees the #GP first.
  row('0f', 0x34, 'sysenter', { modes: 'legacy' }),
  row('0f', 0x35, 'sysexit', { privileged: true }),
  row('0f', 0x01, 'monitor', { modrm: 0xc8, privileged: true, feature: 'monitor' }),
  row('0f', 0x01, 'mwait', { modrm: 0xc9, privileged: true, feature: 'monitor' }),
  row('0f', 0x01, 'clac', { modrm: 0xca, prefix: 'np', feature: 'smap' }),
  row('0f', 0x01, 'stac', { modrm: 0xcb, prefix: 'np', feature: 'smap' }),
  row('0f38', 0x82, 'invpcid Gq,Mdq', { mod: 'mem', prefix: '66', privileged: true, feature: 'invpcid' }),
];
