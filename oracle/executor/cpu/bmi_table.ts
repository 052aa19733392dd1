/** BMI1, BMI2, ADX and CRC32, by mnemonic. */
import * as bmi from './bmi.ts';
import { operandSize } from './operands.ts';
import { type BuildTable, fixed } from './table.ts';

const { adcx, adox, andn, bextr, blsi, blsmsk, blsr, bzhi, mulx, pdep, pext, rorx, sarx, shlx, shrx } = bmi;
const same = { adcx, adox, andn, bextr, blsi, blsmsk, blsr, bzhi, mulx, pdep, pext, rorx, sarx, shlx, shrx };

export const BMI: BuildTable = {
  ...Object.fromEntries(Object.entries(same).map(([name, handler]) => [name, fixed(handler)])),
  crc32: (_, i) => bmi.crc32(operandSize(i.row.operands[1], i.size)),
};
