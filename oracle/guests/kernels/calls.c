/* Recursive calls that no compiler unrolls to nothing: Fibonacci, Ackermann, Hanoi. */
#include "kernel.h"

static u32 moves;

__attribute__((noinline)) static u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

__attribute__((noinline)) static u32 ackermann(u32 m, u32 n) {
  return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

__attribute__((noinline)) static void hanoi(u32 n, u32 from, u32 to) {
  if (n == 0) return;
  hanoi(n - 1, from, 6 - from - to);
  moves = moves * 31 + from * 4 + to;
  hanoi(n - 1, 6 - from - to, to);
}

u64 kernel(void) {
  hanoi(10, 1, 3);
  return (u64)(fibonacci(18) * 65536u + ackermann(2, 9)) << 32 | moves;
}
