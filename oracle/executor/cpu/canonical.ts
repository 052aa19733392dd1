/** Whether bits 63 to 47 of the address with upper half `hi` are equal. */
export const isCanonical = (hi: number): boolean => {
  const top = hi >> 15;
  return top === 0 || top === -1;
};
