/* The sieve of Eratosthenes: how many primes, and their sum. */
#include "kernel.h"

enum { LIMIT = 30000 };
static u8 composite[LIMIT];

u64 kernel(void) {
  u32 count = 0, sum = 0;
  for (u32 n = 2; n < LIMIT; n++) {
    if (composite[n]) continue;
    count++;
    sum += n;
    for (u32 multiple = n * n; n < 1000 && multiple < LIMIT; multiple += n) composite[multiple] = 1;
  }
  return (u64)count << 32 | sum;
}
