/** Guest programs by seed, and smaller ones of the same kind. */
export { arbitraryProgram, generateProgram, type Kind, optionsOfSeed, type ProgramOptions } from './program.ts';
export { shrinkProgram, simplifications } from './shrink.ts';
