/** The rules of the general-purpose instructions, by name, as a PV guest and everybody else sees them. */
import { ARITHMETIC_RULES } from './rules/arithmetic.ts';
import { BASE_RULES } from './rules/base.ts';
import { BITS_RULES } from './rules/bits.ts';
import { BMI_RULES } from './rules/bmi.ts';
import { BRANCH_RULES } from './rules/branch.ts';
import { CRC32_RULES } from './rules/crc32.ts';
import { DECIMAL_RULES } from './rules/decimal.ts';
import { DIVIDE_RULES } from './rules/divide.ts';
import { EXCHANGE_RULES } from './rules/exchange.ts';
import { FLAG_RULES } from './rules/flag.ts';
import { FLAGS_IMAGE_RULES } from './rules/flags_image.ts';
import { LOGIC_RULES } from './rules/logic.ts';
import { MISCELLANEOUS_RULES } from './rules/miscellaneous.ts';
import { MOVE_RULES } from './rules/move.ts';
import { MULTIPLY_RULES } from './rules/multiply.ts';
import { PORT_STRING_RULES } from './rules/port_string.ts';
import { RANDOM_RULES } from './rules/random.ts';
import { ROTATE_RULES } from './rules/rotate.ts';
import { SEGMENT_RULES } from './rules/segment.ts';
import { SHIFT_RULES } from './rules/shift.ts';
import { STACK_RULES } from './rules/stack.ts';
import { STRING_RULES } from './rules/string.ts';
import { GUEST_RULES } from './rules/system.ts';
import type { Rules } from './running.ts';

export const GENERAL_RULES: Rules = {
  ...ARITHMETIC_RULES,
  ...BASE_RULES,
  ...BITS_RULES,
  ...BMI_RULES,
  ...BRANCH_RULES,
  ...CRC32_RULES,
  ...DECIMAL_RULES,
  ...DIVIDE_RULES,
  ...EXCHANGE_RULES,
  ...FLAG_RULES,
  ...FLAGS_IMAGE_RULES,
  ...LOGIC_RULES,
  ...MISCELLANEOUS_RULES,
  ...MOVE_RULES,
  ...MULTIPLY_RULES,
  ...PORT_STRING_RULES,
  ...RANDOM_RULES,
  ...ROTATE_RULES,
  ...SEGMENT_RULES,
  ...SHIFT_RULES,
  ...STACK_RULES,
  ...STRING_RULES,
  ...GUEST_RULES,
};
