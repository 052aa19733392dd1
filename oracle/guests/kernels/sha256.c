/* SHA-256 of 4000 bytes (FIPS 180-4); the constants are computed as the standard defines them, in whole numbers. */
#include "kernel.h"

enum { BYTES = 4000, BLOCK = 64 };
static u32 constants[64], state[8];

static u32 rotate(u32 x, int n) { return x >> n | x << (32 - n); }

/* Is r the greatest number with r^power <= n * 2^(32 * power)? Found bit by bit, with products of 16-bit limbs. */
static int above(u64 r, u32 n, int power) {
  u32 limbs[8] = {(u32)r & 0xffff, (u32)(r >> 16) & 0xffff, (u32)(r >> 32), 0, 0, 0, 0, 0};
  u32 factor[3] = {limbs[0], limbs[1], limbs[2]};
  for (int p = 1; p < power; p++) {
    u32 product[8] = {0};
    for (int i = 0; i < 8; i++) {
      u32 carry = 0;
      for (int j = 0; j < 3 && i + j < 8; j++) {
        u32 sum = limbs[i] * factor[j] + carry;
        u32 low = product[i + j] + (sum & 0xffff);
        product[i + j] = low & 0xffff;
        carry = (sum >> 16) + (low >> 16);
      }
      for (int k = i + 3; carry && k < 8; k++) {
        u32 low = product[k] + carry;
        product[k] = low & 0xffff;
        carry = low >> 16;
      }
    }
    for (int i = 0; i < 8; i++) limbs[i] = product[i];
  }
  u32 whole = limbs[2 * power] | (2 * power + 1 < 8 ? limbs[2 * power + 1] << 16 : 0);
  return whole >= n;
}

/* The first 32 bits of the fractional part of the root of a prime. */
static u32 root(u32 prime, int power) {
  u64 r = 0;
  for (int bit = 36; bit >= 0; bit--)
    if (!above(r | 1ull << bit, prime, power)) r |= 1ull << bit;
  return (u32)r;
}

static void setup(void) {
  u32 found = 0;
  for (u32 n = 2; found < 64; n++) {
    u32 divisor = 2;
    while (n % divisor) divisor++;
    if (divisor != n) continue;
    constants[found] = root(n, 3);
    if (found < 8) state[found] = root(n, 2);
    found++;
  }
}

static void compress(const u8 *block) {
  u32 w[64], v[8];
  for (int i = 0; i < 16; i++) w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  for (int i = 0; i < 8; i++) v[i] = state[i];
  for (int i = 0; i < 64; i++) {
    u32 e = v[4], a = v[0];
    u32 one = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + constants[i] + w[i];
    u32 two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    for (int k = 7; k > 0; k--) v[k] = v[k - 1];
    v[4] += one;
    v[0] = one + two;
  }
  for (int i = 0; i < 8; i++) state[i] += v[i];
}

u64 kernel(void) {
  u8 block[BLOCK];
  const u32 blocks = (BYTES + 8) / BLOCK + 1;
  setup();
  for (u32 b = 0; b < blocks; b++) {
    for (u32 i = 0; i < BLOCK; i++) {
      u32 at = b * BLOCK + i, left = blocks * BLOCK - at;
      block[i] = at < BYTES ? (u8)(at * 7 + 3) : at == BYTES ? 0x80 : left <= 4 ? (u8)((u32)BYTES * 8 >> 8 * (left - 1)) : 0;
    }
    compress(block);
  }
  return (u64)state[0] << 32 | state[1];
}
