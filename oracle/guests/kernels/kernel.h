/* A kernel computes one number from nothing; the number is the same on every machine. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

u64 kernel(void);
