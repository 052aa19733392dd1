/** Guest programs by seed, and smaller ones of the same kind. */
export { type DenseOptions, denseProgram } from './dense/index.ts';
export { forRelease } from './for_release.ts';
export { arbitraryProgram, generateProgram, type Kind, optionsOfSeed, type ProgramOptions } from './program.ts';
export { shrinkProgram, simplifications } from './shrink.ts';
export { variedProgram } from './variations.ts';
