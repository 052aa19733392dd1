/** Symbolic programs into bootable PV64 images. */
export { buildBatch, buildImages, domainsOf } from './compile/program.ts';
export { titleOf } from './compile/steps.ts';
export { EXAMPLES } from './examples.ts';
