/* xorshift64 with a multiplication, and four lanes of 32 bits beside it that a compiler may put into vectors. */
#include "kernel.h"

enum { ROUNDS = 20000 };

u64 kernel(void) {
  u64 x = 0x9e3779b97f4a7c15ull;
  u32 lanes[4] = {1, 2, 3, 4};
  for (int i = 0; i < ROUNDS; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    for (int k = 0; k < 4; k++) {
      lanes[k] ^= lanes[k] << 13;
      lanes[k] ^= lanes[k] >> 17;
      lanes[k] ^= lanes[k] << 5;
    }
  }
  return x * 0x2545f4914f6cdd1dull ^ ((u64)(lanes[0] ^ lanes[2]) << 32 | (lanes[1] ^ lanes[3]));
}
