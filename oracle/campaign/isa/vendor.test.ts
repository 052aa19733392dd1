import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { instructionCase } from '../../generators/isa/instruction_case.ts';
import { EXPLANATIONS } from './explained.ts';
import { rowsMatching } from './row_label.ts';
import { TABLE_VENDOR, VENDOR_DIFFERENCES, vendorFinding } from './vendor.ts';

const findings = readFileSync(new URL('../../../spec/findings.md', import.meta.url), 'utf8');

it('excuses nothing on the processor that the table describes', () => {
  for (const row of rowsMatching().slice(0, 400)) expect(vendorFinding(TABLE_VENDOR, instructionCase(row, 1))).toBeNull();
});

it('names a finding for a row in which the vendors part, and none for others', () => {
  const finding = (label: string) => vendorFinding('GenuineIntel', instructionCase(rowsMatching(label)[0], 3, '32'));
  expect([finding('0F B9 ud1'), finding('03 add Gv,Ev'), finding('sha1rnds4')]).toEqual(['F-042', null, 'F-065']);
});

it('tells of findings that are written down', () => {
  for (const { finding } of [...VENDOR_DIFFERENCES, ...EXPLANATIONS]) expect(findings).toContain(`## ${finding} `);
});
