/** What the functions of flags need of a CPU. */
export type RegisterFile = { readonly s: Int32Array };
