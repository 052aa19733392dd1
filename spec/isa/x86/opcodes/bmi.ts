/** BMI1 and BMI2 behind VEX: SDM volume 1, 5.1.16. (TZCNT has no VEX: bit_byte.ts.) */
import { type Extra, row } from './make.ts';

const bmi1 = (extra: Extra): Extra => ({ vex: true, feature: 'bmi1', ...extra });
const bmi2 = (extra: Extra): Extra => ({ vex: true, feature: 'bmi2', ...extra });

export const BMI = [
  row('0f38', 0xf2, 'andn Gy,By,Ey', bmi1({ prefix: 'np' })),
  row('0f38', 0xf3, 'blsr By,Ey', bmi1({ prefix: 'np', ext: 1 })),
  row('0f38', 0xf3, 'blsmsk By,Ey', bmi1({ prefix: 'np', ext: 2 })),
  row('0f38', 0xf3, 'blsi By,Ey', bmi1({ prefix: 'np', ext: 3 })),
  row('0f38', 0xf7, 'bextr Gy,Ey,By', bmi1({ prefix: 'np' })),
  row('0f38', 0xf5, 'bzhi Gy,Ey,By', bmi2({ prefix: 'np' })),
  row('0f38', 0xf5, 'pext Gy,By,Ey', bmi2({ prefix: 'f3' })),
  row('0f38', 0xf5, 'pdep Gy,By,Ey', bmi2({ prefix: 'f2' })),
  row('0f38', 0xf6, 'mulx Gy,By,Ey', bmi2({ prefix: 'f2' })),
  row('0f38', 0xf7, 'shlx Gy,Ey,By', bmi2({ prefix: '66' })),
  row('0f38', 0xf7, 'sarx Gy,Ey,By', bmi2({ prefix: 'f3' })),
  row('0f38', 0xf7, 'shrx Gy,Ey,By', bmi2({ prefix: 'f2' })),
  row('0f3a', 0xf0, 'rorx Gy,Ey,Ib', bmi2({ prefix: 'f2' })),
];
