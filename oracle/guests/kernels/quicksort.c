/* Quicksort of numbers from a linear generator; the result weighs each by its place. */
#include "kernel.h"

enum { COUNT = 3000 };
static int numbers[COUNT];

static void sort(int low, int high) {
  while (low < high) {
    int pivot = numbers[(low + high) / 2], i = low, j = high;
    while (i <= j) {
      while (numbers[i] < pivot) i++;
      while (numbers[j] > pivot) j--;
      if (i > j) break;
      int kept = numbers[i];
      numbers[i++] = numbers[j];
      numbers[j--] = kept;
    }
    sort(low, j);
    low = i;
  }
}

u64 kernel(void) {
  u32 seed = 12345;
  for (int i = 0; i < COUNT; i++) numbers[i] = (int)(seed = seed * 1664525u + 1013904223u);
  sort(0, COUNT - 1);
  u64 sum = 0;
  for (int i = 0; i < COUNT; i++) sum = (sum << 1 | sum >> 63) + (u32)numbers[i] * (u64)(i + 1);
  return sum;
}
