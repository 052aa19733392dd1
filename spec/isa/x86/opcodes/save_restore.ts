/** FXSAVE and the XSAVE family: SDM volume 1, 5.2.7 and 5.16. REX.W makes the 64-bit forms. */
import { type Extra, row } from './make.ts';

const memory = (ext: number, extra: Extra): Extra => ({ ext, mod: 'mem', prefix: 'np', ...extra });

export const SAVE_RESTORE = [
  row('0f', 0xae, 'fxsave M', memory(0, { state: 'fx', align: 16, feature: 'fxsr' })),
  row('0f', 0xae, 'fxrstor M', memory(1, { state: 'fx', align: 16, feature: 'fxsr' })),
  row('0f', 0xae, 'xsave M', memory(4, { state: 'xsave', align: 64, feature: 'xsave' })),
  row('0f', 0xae, 'xrstor M', memory(5, { state: 'xsave', align: 64, feature: 'xsave' })),
  row('0f', 0xae, 'xsaveopt M', memory(6, { state: 'xsave', align: 64, feature: 'xsaveopt' })),
  row('0f', 0xc7, 'xrstors M', memory(3, { state: 'xsave', align: 64, feature: 'xsaves', privileged: true })),
  row('0f', 0xc7, 'xsavec M', memory(4, { state: 'xsave', align: 64, feature: 'xsavec' })),
  row('0f', 0xc7, 'xsaves M', memory(5, { state: 'xsave', align: 64, feature: 'xsaves', privileged: true })),
  row('0f', 0x01, 'xgetbv', { modrm: 0xd0, prefix: 'np', feature: 'xsave' }),
];
